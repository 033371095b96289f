-- A call that somebody asks for: the extension has been rung, now its number is called by its rights.

local service = {}

function service.run(call)
    local is_sent, why = call:redirect(call.settings.target)
    if not is_sent then
        call:log(call.settings.target .. " is not called: " .. tostring(why))
    end
    call:play("busy")
    call:play("busy")
    call:hangup()
end

return service
