-- Paging: *81*GROUP speaks to all free phones of a group at once; they answer by themselves and only listen.

local service = {}

function service.run(call)
    if not call:answer() then
        return
    end
    local group = call:group(call.argument)
    if group and #group.members > 0 then
        call:page(group.members)
    end
    -- Whoever is here has reached nobody.
    call:play("paging-nobody")
    call:hangup()
end

return service
