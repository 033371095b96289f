-- Follow me: the extension's own phones ring first, then other numbers one after the other.
-- A trigger at the point 'always'. Settings: numbers (with commas), ring (seconds each),
-- box (yes: voicemail at last).

local service = {}

local RING_S = 15

function service.run(call)
    local settings = call.settings
    local own, ring = settings.extension, tonumber(settings.ring) or RING_S
    call:dial(own, { ring = ring, inside = true })
    for number in (settings.numbers or ""):gmatch("[^,%s]+") do
        call:dial(number, { ring = ring, as = own })
    end
    if settings.box == "yes" and call:redirect("*98*" .. own, { as = own, why = "no_answer" }) then
        return
    end
    call:refuse(480, { reason = "No Answer" })
end

return service
