-- Operator barge-in: *75*EXTENSION breaks into a call of two, by right; who may not hears why.

local service = {}

local PROMPTS = { no_right = "no-right", overstep = "barge-protected", not_talking = "barge-not-talking" }

function service.run(call)
    local _, why = call:barge_in(call.argument)
    -- Whoever is here is not in; those who talk have heard nothing of it.
    call:log(call.caller .. " does not break into the call of " .. call.argument .. ": " .. why)
    if call:answer() then
        call:play(PROMPTS[why] or "barge-not-talking")
        call:hangup()
    end
end

return service
