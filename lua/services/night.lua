-- *26 turns the night switch: on, off, then as the schedules say.
-- At the point 'schedule' it turns it to the setting position (on, off or auto) without a caller.

local service = {}

local NEXT = { auto = "on", on = "off", off = "auto" }

function service.run(call)
    if call.settings.reason == "schedule" then
        call:night(call.settings.position or "on")
        return
    end
    if not call.own or not call:answer() then
        return
    end
    local next_one = NEXT[call:night()] or "on"
    if call:night(next_one) then
        call:play("night-" .. next_one)
    end
    call:hangup()
end

return service
