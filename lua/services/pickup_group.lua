-- Group pickup: *50* answers the first call that rings in the caller's pickup groups.

local service = {}

function service.run(call)
    call:pickup()
    -- Whoever is here has picked up nothing.
    if call:answer() then
        call:play("pickup-nothing")
        call:hangup()
    end
end

return service
