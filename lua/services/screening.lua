-- Call screening by caller: strangers hear that their call is not taken.
-- A trigger at the point 'always'. Settings: allow and block (beginnings of numbers, with commas),
-- to (where the others go, else its extension).

local service = {}

local function begins(number, prefixes)
    for prefix in (prefixes or ""):gmatch("[^,%s]+") do
        if number:sub(1, #prefix) == prefix then
            return true
        end
    end
    return false
end

function service.run(call)
    local settings = call.settings
    local is_blocked = begins(call.caller, settings.block)
    if settings.allow and not begins(call.caller, settings.allow) then
        is_blocked = true
    end
    if not is_blocked then
        call:dial(settings.to or settings.extension, { inside = true })
        call:refuse(480, { reason = "No Answer" })
    elseif call:answer() then
        call:play("blocked")
        call:hangup()
    end
end

return service
