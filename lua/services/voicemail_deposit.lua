-- Leaves a message in the box of an extension: when it is busy, silent or unreachable, or by *98*EXTENSION.

local service = {}

local LONGEST_S = 300

function service.run(call)
    local box = call.settings.extension or call.argument
    if not call:extension(box) then
        call:refuse(404)
        return
    elseif not call:answer() then
        return
    end
    if not call:play("greeting:" .. box) then
        call:play("vm-leave")
    end
    call:play("beep")
    local message, why = call:record("box:" .. box, { most = LONGEST_S })
    if message then
        call:play("thank-you")
    else
        call:log("no message for " .. box .. ": " .. why)
        call:play("vm-full")
    end
    call:hangup()
end

return service
