-- *60 tells the time.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    call:play("time-is")
    call:say(call:time().text, { as = "time" })
    call:hangup()
end

return service
