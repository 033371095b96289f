-- Parking: a call transferred to *70*SLOT waits there with music, and comes back to who parked it.
-- Dialled while another call is held, it parks the party that is held; *70* alone takes the first free slot.

local service = {}

local TRIES, BETWEEN_S = 5, 15

-- Nobody has retrieved the caller: who parked it rings, again and again, with music in between.
local function come_back(call)
    local parker = call.settings.parker
    if not parker then
        return
    end
    for _ = 1, TRIES do
        local result = call:dial(parker, { music = true, name = "Parked " .. call.argument })
        if result.status == "unreachable" then
            return
        end
        call:play("music", { ["repeat"] = true })
        call:wait(BETWEEN_S)
    end
end

function service.run(call)
    if not call:answer() then
        return
    end
    local slot = call.argument ~= "" and call.argument or nil
    local result, why = call:park(slot)
    if not result then
        call:log("nothing is parked on " .. call.argument .. ": " .. why)
        call:play("park-taken")
    elseif result.status == "done" then
        call:play("park-at")
        call:say(result.slot)
    else
        come_back(call)
    end
    call:hangup()
end

return service
