-- *97 tells the messages of the caller's own box, *97*BOX those of another one after its PIN.
-- 1 again, 2 next, 3 remove, 5 record the greeting, # ends.

local service = {}

local function ask_pin(call)
    return (call:collect({ prompt = "enter-password" }) or {}).digits or ""
end

-- Plays one message and does what the caller wants with it; returns the key.
local function tell(call, box, message)
    call:play("box:" .. box .. "/" .. message.name, { unless_digit = true })
    call:keep(box, message.name)
    local answer = call:collect({ prompt = "vm-menu", most = 1, first = 5 })
    if answer.digits == "3" then
        call:erase(box, message.name)
        call:play("vm-deleted", { unless_digit = true })
    end
    return answer.ended == "stop" and "#" or answer.digits
end

local function greet(call, box)
    call:play("vm-say-greeting")
    call:play("beep")
    if call:record("greeting:" .. box, { most = 60 }) then
        call:play("vm-saved")
    end
end

function service.run(call)
    local box = call.argument:match("^%d+") or call.own
    if not call:answer() then
        return
    end
    if not box or not call:extension(box) then
        call:play("vm-no-box")
        return
    elseif box ~= call.own and not call:pin(box, ask_pin(call)) then
        call:play("wrong-password")
        return
    end
    local messages = call:recordings(box)
    if #messages == 0 then
        call:play("vm-none")
    else
        call:play("vm-have", { unless_digit = true })
        call:say(#messages, { as = "number" })
    end
    local place = 1
    while place <= #messages do
        local key = tell(call, box, messages[place])
        if key == "#" then
            call:play("goodbye")
            call:hangup()
            return
        elseif key == "5" then
            greet(call, box)
        elseif key ~= "1" then
            place = place + 1
        end
    end
    call:play("vm-last", { unless_digit = true })
    if call:collect({ most = 1, first = 3 }).digits == "5" then
        greet(call, box)
    end
    call:play("goodbye")
    call:hangup()
end

return service
