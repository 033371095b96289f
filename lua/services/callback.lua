-- Callback: *62*EXTENSION rings the caller back once that extension is free, and connects the two.

local service = {}

function service.run(call)
    local settings = call.settings
    if settings.target then
        call:play("callback-ready")
        call:dial(settings.target)
        call:hangup()
        return
    end
    if not call:answer() then
        return
    end
    local target = call.argument:gsub("#$", "")
    local settings_then = { target = target, free = target }
    if call:extension(target) and call:later(1, "callback", { settings = settings_then }) then
        call:play("callback-set")
    else
        call:play("not-in-service")
    end
    call:hangup()
end

return service
