-- *71*SLOT retrieves a parked call.

local service = {}

function service.run(call)
    local _, why = call:retrieve(call.argument)
    -- Whoever is here has found nobody.
    call:log("nothing is retrieved from " .. call.argument .. ": " .. why)
    if call:answer() then
        call:play("park-empty")
        call:hangup()
    end
end

return service
