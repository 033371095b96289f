-- Auto attendant: a menu of one key each, and extensions by their numbers.
-- Settings: 0 to 9 (where each key leads), open (a schedule), closed (where calls go otherwise),
-- operator (where those go who choose nothing).

local service = {}

local TRIES = 3
local PROMPTS = { busy = "prompt:busy", no_answer = "no-answer" }

-- Leads the caller to a number; where nobody answers it hears why and may choose again.
local function go(call, number)
    call:play("transferring", { unless_digit = true })
    if call:extension(number) then
        local result = call:dial(number)
        call:play(PROMPTS[result.status] or "unreachable")
    else
        call:redirect(number)
        call:play("unreachable")
    end
end

function service.run(call)
    local settings = call.settings
    if not call:answer() then
        return
    end
    if settings.open and not call:holds(settings.open) then
        call:play("attendant-closed")
        if settings.closed then
            go(call, settings.closed)
        end
        call:hangup()
        return
    end
    call:play("welcome", { unless_digit = true })
    for _ = 1, TRIES do
        local typed = call:collect({ prompt = "attendant-menu", first = 5, between = 2, most = 6 }).digits
        local target = settings[typed] or (#typed > 1 and call:extension(typed) and typed)
        if target then
            go(call, target)
        elseif typed ~= "" then
            call:play("invalid")
        end
    end
    if settings.operator then
        go(call, settings.operator)
    end
    call:play("goodbye")
    call:hangup()
end

return service
