-- Forwarding is set from the phone: *93*NUMBER always, *90* when busy, *91* unreachable, *92* no answer.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    local target = call.argument:gsub("#$", "")
    if target == "" then
        target = (call:collect({ prompt = "enter-number" }) or {}).digits or ""
    end
    if target == "" then
        call:play("nothing-dialled")
        return
    end
    local is_set, why = call:forward(call.settings.reason, target)
    if is_set then
        call:play("forward-on")
        call:say(target)
    else
        call:log("forwarding to " .. target .. " is refused: " .. why)
        call:play("not-allowed")
    end
    call:hangup()
end

return service
