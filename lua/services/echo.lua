-- Echo test: callers hear themselves, and know that their phone both speaks and hears.

local service = {}

local LONGEST_S = 600

function service.run(call)
    if not call:answer() then
        return
    end
    call:play("beep")
    call:echo()
    -- Whoever hangs up ends the wait and the service with it.
    call:wait(LONGEST_S)
    call:play("beep")
    call:hangup()
end

return service
