-- Hunt group: one member rings after the other, in the order that the group has chosen.

local service = {}

function service.run(call)
    local group = call:group(call.argument)
    if not group or #group.members == 0 then
        call:refuse(480, { reason = "Nobody In Group" })
        return
    end
    local all_busy = true
    for _, member in ipairs(group.members) do
        local result = call:dial(member, { ring = group.timeout, inside = true })
        all_busy = all_busy and result.status == "busy"
    end
    local overflow = call.settings.overflow
    if overflow and call:redirect(overflow) then
        return
    elseif all_busy then
        call:busy()
    end
    call:refuse(480, { reason = "No Answer" })
end

return service
