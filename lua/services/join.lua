-- *74 comes into the call of another phone of the caller's own number.

local service = {}

function service.run(call)
    call:join()
    -- Whoever is here has found no call.
    if call:answer() then
        call:play("join-nothing")
        call:hangup()
    end
end

return service
