-- Intercom: *80*EXTENSION is answered by the other phone itself, where it can.

local service = {}

local RING_S = 20

function service.run(call)
    local result = call:dial(call.argument, { auto_answer = true, inside = true, ring = RING_S })
    if result.status == "busy" then
        call:busy()
    end
    call:refuse(480, { reason = "No Answer" })
end

return service
