-- Paging: *81*GROUP is answered by one phone of the group itself, whichever is first.

local service = {}

local RING_S = 10

function service.run(call)
    local group = call:group(call.argument)
    if group and #group.members > 0 then
        call:dial(group.members, { auto_answer = true, inside = true, ring = RING_S })
    end
    if call:answer() then
        call:play("paging-nobody")
        call:hangup()
    end
end

return service
