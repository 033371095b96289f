-- Override: an operator reaches an extension through do not disturb and forwarding. Who talks is broken
-- into where that is allowed; else the operator is rung again once the extension is free.

local service = {}

function service.run(call)
    local settings = call.settings
    local result, why = call:override(settings.target or call.argument, { reason = settings.reason })
    if not call:answer() then
        return
    end
    if not result then
        call:play(why == "no_right" and "no-right" or "not-in-service")
    elseif result.status == "camped" then
        call:play("callback-set")
    else
        call:play("cannot-complete")
    end
    call:hangup()
end

return service
