-- Speed dial: *88*KEY dials what is kept there, *88*KEY*NUMBER keeps a number for the caller's extension.

local service = {}

function service.run(call)
    local key, number = call.argument:match("^(%d%d?)%*?([%d*]*)#?$")
    if not key or not call.own then
        call:refuse(404)
    elseif number ~= "" then
        call:set("key" .. key, number, { of = call.own })
        if call:answer() then
            call:play("done")
            call:hangup()
        end
    else
        local kept = call:get("key" .. key, { of = call.own }) or call.settings[key]
        if kept and call:redirect(kept) then
            return
        elseif call:answer() then
            call:play("speed-empty")
            call:hangup()
        end
    end
end

return service
