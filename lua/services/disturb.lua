-- Do not disturb: *78 turns it on, *79 off.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    local is_on = call.settings.wanted == "yes"
    if call:dnd(is_on) then
        call:play(is_on and "dnd-on" or "dnd-off")
    else
        call:play("not-allowed")
    end
    call:hangup()
end

return service
