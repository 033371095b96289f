-- Directed pickup: *40*EXTENSION answers what rings there, in the same pickup group.

local service = {}

function service.run(call)
    local _, why = call:pickup(call.argument)
    -- Whoever is here has picked up nothing.
    call:log(call.caller .. " picks up nothing at " .. call.argument .. ": " .. why)
    if call:answer() then
        call:play(why:find("right") and "no-right" or "pickup-nothing")
        call:hangup()
    end
end

return service
