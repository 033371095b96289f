-- *66 dials the number again that the extension dialled last.

local service = {}

function service.run(call)
    local number = call:last_dialled()
    if number and call:redirect(number) then
        return
    elseif call:answer() then
        call:play("nothing-dialled")
        call:hangup()
    end
end

return service
