-- An operator's phone has been rung to take a caller out of a menu, a queue or a slot.

local service = {}

function service.run(call)
    local _, why = call:pull(call.argument)
    call:play(why == "no_right" and "no-right" or "park-empty")
    call:hangup()
end

return service
