-- *61 tells callers their own number.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    call:play("your-number")
    call:say(call.caller)
    call:hangup()
end

return service
