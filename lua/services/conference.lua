-- Conference room: *6*ROOM or *6*ROOM*PASSWORD; the first who comes in gives it its password.

local service = {}

local TRIES = 3

function service.run(call)
    local room, password = call.argument:match("^(%d+)%*?(%d*)#?$")
    if not call:answer() then
        return
    end
    if not room then
        room = (call:collect({ prompt = "enter-number" }) or {}).digits or ""
        password = ""
    end
    if room == "" then
        call:play("conference-none")
        return
    end
    for _ = 1, TRIES do
        local _, why = call:conference(room, { password = password })
        if not why then
            return
        end
        password = (call:collect({ prompt = "enter-password" }) or {}).digits or ""
    end
    call:play("wrong-password")
    call:hangup()
end

return service
