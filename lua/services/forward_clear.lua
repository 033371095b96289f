-- Forwarding is ended from the phone: *93#, *90#, *91# or *92#, with or without the #.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    local is_cleared, why = call:forward(call.settings.reason)
    if not is_cleared then
        call:log("forwarding is not ended: " .. why)
    end
    call:play(is_cleared and "forward-off" or "not-allowed")
    call:hangup()
end

return service
