-- A phone that is paged: it hears who speaks, until that one hangs up.

local service = {}

function service.run(call)
    call:conference(call.settings.room)
    call:hangup()
end

return service
