-- Forwarding: sends the call on to the number that its extension has chosen.

local service = {}

function service.run(call)
    local settings = call.settings
    local is_sent, why = call:redirect(settings.target, { as = settings.extension, why = settings.reason })
    if not is_sent then
        call:log("cannot forward to " .. settings.target .. ": " .. why)
        call:refuse(480, { reason = "Forwarding Failed" })
    end
end

return service
