-- Wake-up call: *55*HHMM rings the caller then, *55* alone asks for the time, *55*# ends it.

local service = {}

function service.run(call)
    if call.settings.at then
        call:play("wakeup-call")
        call:say(call:time().text, { as = "time" })
        call:hangup()
        return
    end
    if not call:answer() then
        return
    end
    local typed = call.argument
    if typed == "#" then
        call:later(0, "wake_up")
        call:play("wakeup-off")
        return
    elseif typed == "" then
        typed = call:collect({ prompt = "wakeup-enter", most = 4 }).digits
    end
    local hour, minute = typed:match("^(%d%d)(%d%d)#?$")
    local when = hour and call:time({ at = hour .. ":" .. minute })
    if when and call:later(when.wait, "wake_up", { settings = { at = hour .. ":" .. minute } }) then
        call:play("wakeup-at")
        call:say(hour .. ":" .. minute, { as = "time" })
    else
        call:play("invalid")
    end
    call:hangup()
end

return service
