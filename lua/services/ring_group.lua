-- Ring group: all members ring at once, the first who answers has the call.

local service = {}

-- Nobody has taken the call: it goes on as the settings say, or the caller hears why.
local function give_up(call, result)
    local overflow = call.settings.overflow
    if overflow and call:redirect(overflow) then
        return
    elseif result.status == "busy" then
        call:busy()
    end
    call:refuse(480, { reason = "No Answer" })
end

function service.run(call)
    local group = call:group(call.argument)
    if not group or #group.members == 0 then
        call:refuse(480, { reason = "Nobody In Group" })
        return
    end
    local result = call:dial(group.members, { ring = group.timeout, inside = true })
    give_up(call, result)
end

return service
