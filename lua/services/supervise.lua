-- An operator's phone has been rung to listen, whisper, barge in or take over, and is in the call now.
-- Settings: deed, call, side (who hears a whisper, or whose place is taken).

local service = {}

local PROMPTS = { no_right = "no-right", overstep = "barge-protected" }

function service.run(call)
    local settings = call.settings
    local _, why = call:supervise(settings.deed, settings.call, { side = settings.side })
    call:play(PROMPTS[why] or "barge-not-talking")
    call:hangup()
end

return service
