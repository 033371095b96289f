-- *33 marks the last call that the extension has had as malicious: in the log, and for whoever watches.

local service = {}

function service.run(call)
    local last = call:last_caller()
    if not call:answer() then
        return
    end
    if last then
        call:set("marked", last.caller .. " " .. last.id, { of = call.own })
        local parties = last.id .. " from " .. last.caller .. " to " .. call.caller
        call:mark("call " .. parties .. " is marked as malicious")
        call:play("marked")
    else
        call:play("nothing-dialled")
    end
    call:hangup()
end

return service
