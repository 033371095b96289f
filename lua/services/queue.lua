-- Queue: callers wait with music and hear their place, until a member of the group takes them.
-- Settings: group (its number; else the argument), most (seconds to wait), overflow (where it goes then),
-- told (seconds after which the place is told again, 30).

local service = {}

local LONGEST_S, TOLD_S, BETWEEN_S = 600, 30, 5

-- It is the caller's turn: members that are free ring one after the other.
local function serve(call, group)
    for _, member in ipairs(group.members) do
        if call:presence(member) == "idle" then
            call:dial(member, { ring = group.timeout, music = true, inside = true })
        end
    end
    call:play("music", { ["repeat"] = true })
    call:wait(BETWEEN_S)
end

function service.run(call)
    local settings = call.settings
    local number = settings.group or call.argument
    if not call:answer() then
        return
    end
    call:play("queue-wait")
    local started, most = call:time().stamp, tonumber(settings.most) or LONGEST_S
    local told = tonumber(settings.told) or TOLD_S
    while call:time().stamp - started < most do
        local group = call:group(number)
        if not group then
            break
        end
        local turn = call:queue(number, { timeout = told })
        if turn.status == "first" then
            serve(call, group)
        else
            call:play("queue-position")
            call:say(turn.position, { as = "number" })
        end
    end
    call:play("queue-over")
    if settings.overflow then
        call:redirect(settings.overflow)
    end
    call:hangup()
end

return service
