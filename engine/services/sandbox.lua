-- luacheck: max line length 120
-- Builds the sandbox of one service: what it may use, how much it may compute, and its verbs.
-- The host calls it with the limits and gets `prepare` and `step`, which take and give plain values alone. Nothing
-- here may call what a service can replace: all is kept in locals.
-- luacheck: globals debug load string coroutine setmetatable xpcall pcall

local BUDGET, SLICE, MOST_BYTES = ...
local LONGEST_WAIT_S = 86400
local MOST_DEPTH, MOST_ENTRIES = 3, 1000
local MOST_FIELDS, LONGEST_NAME, LONGEST_FIELD, LONGEST_WEB_FIELD = 10, 40, 200, 2000
local EXHAUSTED = "used up its " .. BUDGET .. " instructions: is it in an endless loop?"

local ALLOWED = {
    _G = true, _VERSION = true, assert = true, coroutine = true, error = true, getmetatable = true,
    ipairs = true, math = true, next = true, pairs = true, pcall = true, rawequal = true, rawget = true,
    rawlen = true, rawset = true, select = true, setmetatable = true, string = true, table = true,
    tonumber = true, tostring = true, type = true, utf8 = true, xpcall = true,
}

local getinfo, sethook, traceback, compile = debug.getinfo, debug.sethook, debug.traceback, load
local create, resume, running = coroutine.create, coroutine.resume, coroutine.running
local status, yield = coroutine.status, coroutine.yield
local error, rawget, type = error, rawget, type
local concat, pack, unpack = table.concat, table.pack, table.unpack
local find, format, lower, sub = string.find, string.format, string.lower, string.sub
local huge, math_type, tonumber = math.huge, math.type, tonumber
local next, select = next, select
local real_pcall, real_setmetatable = pcall, setmetatable

-- Raises an error that names the line of the service that is to blame, not ours.
local function blame(problem)
    local level = 2
    local place = getinfo(level, "Sl")
    while place and (place.what == "C" or place.source == "=sandbox") do
        level = level + 1
        place = getinfo(level, "Sl")
    end
    error(place and place.short_src .. ":" .. place.currentline .. ": " .. problem or problem, 0)
end

-- What a step may compute -----------------------------------------------------------------------------------

local left = 0

local function spend()
    left = left - SLICE
    if left <= 0 then
        -- From now on every instruction fails: no pcall can go on.
        sethook(spend, "", 1)
        blame(EXHAUSTED)
    end
end

-- Making room for what hit the limit of memory or of the stack is slow work: who catches it pays for it.
local function charge(is_well, ...)
    local problem = ...
    if not is_well and type(problem) == "string" then
        if problem == "not enough memory" or find(problem, "stack overflow", 1, true) then
            left = left - BUDGET // 10
        end
    end
    return is_well, ...
end

-- A hook counts for one coroutine alone: each gets one, and costs a slice so that many cost much.
local function create_limited(body)
    left = left - SLICE
    if left <= 0 then
        blame(EXHAUSTED)
    end
    local thread = create(body)
    sethook(thread, spend, "", SLICE)
    return thread
end

-- What a service may use ------------------------------------------------------------------------------------

for name in next, _G do
    if not ALLOWED[name] then
        _G[name] = nil
    end
end

string.dump = nil
getmetatable("").__metatable = false

-- The real one marks objects whose finalizers run where no hook can stop them.
function setmetatable(object, meta)
    if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
        blame("services have no __gc")
    end
    return real_setmetatable(object, meta)
end

function pcall(...)
    return charge(real_pcall(...))
end

-- The real one calls its handler where no hook can stop it.
function xpcall(body, handler, ...)
    local results = pack(charge(real_pcall(body, ...)))
    if results[1] then
        return unpack(results, 1, results.n)
    end
    return false, handler(results[2])
end

local function pass_on(is_well, ...)
    if is_well then
        return ...
    end
    error((...), 0)
end

coroutine.create = create_limited

function coroutine.resume(...)
    return charge(resume(...))
end

function coroutine.wrap(body)
    local thread = create_limited(body)
    return function(...)
        return pass_on(charge(resume(thread, ...)))
    end
end

-- The verbs -------------------------------------------------------------------------------------------------

-- Memory for the report of a service that has used up its own.
local reserve = string.rep("\0", 8192) -- luacheck: no unused

local main -- the coroutine that the service runs in
local is_over = false -- the call has ended: the service may clean up
local call = {}

function coroutine.yield(...)
    if running() == main then
        blame("a service waits with call:wait, not with coroutine.yield")
    end
    return yield(...)
end


-- What crosses to the office and back: see packing.py.
local function put(value, parts, depth)
    local kind = type(value)
    if kind == "nil" then
        parts[#parts + 1] = "z"
    elseif kind == "boolean" then
        parts[#parts + 1] = value and "T" or "F"
    elseif kind == "number" then
        if value ~= value or value == huge or value == -huge then
            blame("a number that is none or endless cannot be used")
        end
        parts[#parts + 1] = math_type(value) == "integer" and format("n%d;", value) or format("n%.17g;", value)
    elseif kind == "string" then
        parts.bytes = parts.bytes + #value
        parts[#parts + 1] = "s" .. #value .. ":"
        parts[#parts + 1] = value
    elseif kind == "table" and depth > 0 then
        local place = #parts + 1
        local count = 0
        parts[place] = ""
        for key, inner in next, value do
            local of_key = type(key)
            if of_key ~= "string" and of_key ~= "number" then
                blame("the keys of a table are texts or numbers")
            end
            count = count + 1
            put(key, parts, 0)
            put(inner, parts, depth - 1)
        end
        parts[place] = "t" .. count .. ";"
    else
        blame(kind == "table" and "a table has too many tables inside" or "a " .. kind .. " cannot be used here")
    end
    parts.bytes = parts.bytes + 8
    if #parts > MOST_ENTRIES * 3 or parts.bytes > MOST_BYTES then
        blame("this is too much at once: a verb takes " .. MOST_BYTES .. " bytes")
    end
end

local function packed(value)
    local parts = { bytes = 0 }
    put(value, parts, MOST_DEPTH)
    return concat(parts)
end

local function take(text, at)
    local kind = sub(text, at, at)
    if kind == "z" then
        return nil, at + 1
    elseif kind == "T" or kind == "F" then
        return kind == "T", at + 1
    end
    local _, last, said = find(text, "^(-?[%w.+-]*)[:;]", at + 1)
    if kind == "n" then
        return tonumber(said), last + 1
    elseif kind == "s" then
        local after = last + tonumber(said)
        return sub(text, last + 1, after), after + 1
    end
    local made = {}
    at = last + 1
    for _ = 1, tonumber(said) do
        local key, value
        key, at = take(text, at)
        value, at = take(text, at)
        made[key] = value
    end
    return made, at
end

local function ask(verb, arguments)
    if is_over then
        return nil, "ended"
    end
    if running() ~= main then
        blame("verbs belong in the service itself, not in a coroutine of its own")
    end
    local event, value, failure = yield(verb, packed(arguments))
    if event == "hangup" then
        error("hangup", 0)
    elseif event == "ended" then
        return nil, "ended"
    end
    if failure then
        return nil, failure
    end
    return (take(value, 1))
end

local function is_text(value)
    return type(value) == "string"
end

local function are_texts(value)
    if type(value) ~= "table" then
        return is_text(value)
    end
    for _, inner in next, value do
        if not is_text(inner) then
            return false
        end
    end
    return next(value) ~= nil
end

local function is_plain(value)
    local kind = type(value)
    return kind == "string" or kind == "number" or kind == "boolean"
end

local function is_seconds(value)
    return type(value) == "number" and value >= 0 and value <= LONGEST_WAIT_S
end

-- Header fields that say something of a call and steer nothing; any other but X- is the office's own affair.
local TELLING = {
    ["accept-language"] = true, ["alert-info"] = true, ["call-info"] = true, organization = true, priority = true,
    subject = true, ["user-to-user"] = true,
}

local function is_telling(name)
    return TELLING[name] or find(name, "^x%-%w[%w-]*$")
end

-- Header fields of HTTP that say where a message goes, how long it is and what becomes of the connection.
local STEERING = {
    connection = true, ["accept-encoding"] = true, ["content-encoding"] = true, ["content-length"] = true,
    expect = true, host = true, ["keep-alive"] = true, te = true, trailer = true, ["transfer-encoding"] = true,
    upgrade = true,
}

local function is_web_field(name)
    return find(name, "^%w[%w-]*$") and not STEERING[name] and not find(name, "^proxy%-")
end

-- Header fields by name: none but those that `may_be` lets in, and nothing that could end a line.
local function are_fields(value, may_be, longest)
    if type(value) ~= "table" then
        return false
    end
    local seen, count = {}, 0
    for name, said in next, value do
        if not is_text(name) or #name > LONGEST_NAME then
            return false
        end
        local known = lower(name)
        count = count + 1
        if seen[known] or not may_be(known) then
            return false
        end
        seen[known] = true
        local is_good = type(said) == "number"
        if is_text(said) then
            is_good = #said <= longest and not find(said, "%c") and find(said, "%S")
        end
        if not is_good then
            return false
        end
    end
    return count <= MOST_FIELDS
end

-- What an argument may be, and how a refusal says it.
local KINDS = {
    text = { is_text, "a text" },
    texts = { are_texts, "a text or a list of texts" },
    flag = { function(value) return type(value) == "boolean" end, "true or false" },
    count = { function(value) return math_type(value) == "integer" and value >= 0 end, "a whole number" },
    number = { function(value) return type(value) == "number" and value == value end, "a number" },
    plain = { is_plain, "a text, a number, true or false" },
    value = { function(value) return is_plain(value) or type(value) == "table" end, "a text, number, truth or table" },
    fields = {
        function(value) return are_fields(value, is_telling, LONGEST_FIELD) end,
        "at most " .. MOST_FIELDS .. " header fields by name, X-… or Alert-Info, Call-Info, Subject …, each of 1 to "
            .. LONGEST_FIELD .. " printable bytes",
    },
    web_fields = {
        function(value) return are_fields(value, is_web_field, LONGEST_WEB_FIELD) end,
        "at most " .. MOST_FIELDS .. " header fields by name, none that steers HTTP itself, each of 1 to "
            .. LONGEST_WEB_FIELD .. " printable bytes",
    },
    seconds = { is_seconds, "seconds from 0 to " .. LONGEST_WAIT_S },
}

local function checked(verb, name, kind, value)
    local is_optional = sub(kind, -1) == "?"
    if value == nil and is_optional then
        return nil
    end
    local rule = KINDS[is_optional and sub(kind, 1, -2) or kind]
    if not rule[1](value) then
        blame("call:" .. verb .. " needs " .. name .. " to be " .. rule[2])
    end
    return value
end

-- Each verb: its arguments in their order, then the fields of the table that may follow them.
local function verb(name, arguments, options)
    local count = #arguments // 2
    call[name] = function(self, ...) -- luacheck: no unused
        if self ~= call then
            blame("a verb is asked of the call: call:" .. name .. "(...)")
        end
        if is_over then
            return nil, "ended"
        end
        local asked = {}
        for place = 1, count do
            local key = arguments[2 * place - 1]
            asked[key] = checked(name, key, arguments[2 * place], (select(place, ...)))
        end
        local given = select(count + 1, ...)
        if given ~= nil then
            if not options or type(given) ~= "table" then
                blame("call:" .. name .. " takes no more than this")
            end
            for key, value in next, given do
                local kind = options[key]
                if not kind then
                    blame("call:" .. name .. " knows no '" .. (is_plain(key) and tostring(key) or type(key)) .. "'")
                end
                asked[key] = checked(name, key, kind, value)
            end
        end
        return ask(name, asked)
    end
end

verb("answer", {})
verb("ringing", {})
verb("play", { "clip", "texts" }, { ["repeat"] = "flag", unless_digit = "flag" })
verb("stop", {})
verb("say", { "what", "plain" }, { as = "text" })
verb("collect", {}, {
    prompt = "texts", most = "count", least = "count", stop = "text", first = "seconds", between = "seconds",
})
verb("send", { "digits", "text" })
verb("echo", {})
verb("wait", { "seconds", "seconds" })
verb("hangup", {}, { reason = "text" })
verb("busy", {})
verb("refuse", { "status", "count" }, { reason = "text" })
verb("redirect", { "number", "text" }, { as = "text", why = "text" })
verb("log", { "text", "plain" })

verb("dial", { "to", "texts" }, {
    ring = "seconds", caller = "text", name = "text", as = "text", go_on = "flag", music = "flag", inside = "flag",
    auto_answer = "flag", headers = "fields",
})

verb("transfer", { "number", "text" }, { as = "text", ring = "seconds", music = "flag" })
verb("hold", { "is_on", "flag?" })
verb("bridge", { "call", "text" })

verb("http", { "url", "text" }, { method = "text", body = "text", headers = "web_fields", timeout = "seconds" })

verb("get", { "key", "text" }, { of = "text" })
verb("set", { "key", "text", "value", "value?" }, { of = "text" })
verb("extension", { "number", "text" })
verb("group", { "number", "text" })
verb("presence", { "number", "text" })
verb("holds", { "schedule", "text" })
verb("time", {}, { after = "seconds", at = "text" })
verb("forward", { "reason", "text", "target", "text?" }, { of = "text" })
verb("dnd", { "is_on", "flag" }, { of = "text" })
verb("night", { "position", "text?" })
verb("last_dialled", {})
verb("last_caller", {})
verb("later", { "seconds", "seconds", "service", "text" }, { settings = "value", of = "text" })

verb("pickup", { "number", "text?" })
verb("park", { "slot", "text?" }, { timeout = "seconds" })
verb("retrieve", { "slot", "text" })
verb("conference", { "room", "text" }, { password = "text" })
verb("page", { "to", "texts" })
verb("queue", { "name", "text" }, { timeout = "seconds" })
verb("serve", { "queue", "text" })
verb("join", { "number", "text?" })
verb("barge_in", { "number", "text" })
verb("supervise", { "deed", "text", "target", "text" }, { side = "text" })
verb("pull", { "target", "text" })
verb("override", { "number", "text" }, { ring = "seconds", reason = "text" })
verb("voicemail", { "number", "text" })
verb("record", { "name", "text" }, { most = "seconds", stop = "text" })
verb("recordings", { "box", "text" })
verb("keep", { "box", "text", "recording", "text" })
verb("erase", { "box", "text", "recording", "text" })
verb("pin", { "box", "text", "typed", "text" })
verb("mark", { "text", "text" })

-- What the host calls ---------------------------------------------------------------------------------------

-- Compiles a service; returns what is wrong with it, or nothing.
local function prepare(source, name, facts)
    local chunk, complaint = compile(source, "@" .. name, "t")
    if not chunk then
        return complaint
    end
    for key, value in next, (take(facts, 1)) do
        call[key] = value
    end
    left = BUDGET
    main = create_limited(function()
        local service = chunk()
        if type(service) ~= "table" or type(rawget(service, "run")) ~= "function" then
            error(name .. ": must return a table with a function 'run'", 0)
        end
        service.run(call)
    end)
end

-- Runs the service up to its next verb; returns "verb", its name and its argument, or "over", or "failed", why and
-- where. `event` is "go" (with what the last verb gave, packed), "ended", or "hangup", which the pending verb raises.
local function step(event, value, failure)
    if status(main) == "dead" then
        return "over", nil, nil
    end
    left = BUDGET
    is_over = is_over or event ~= "go"
    local is_well, asked, argument = resume(main, event, value, failure)
    if is_well then
        if is_over or status(main) == "dead" then
            return "over", nil, nil
        end
        return "verb", asked, argument
    elseif is_over and asked == "hangup" then
        return "over", nil, nil
    end
    reserve = nil
    local why = type(asked) == "string" and asked or "raised an error that is a " .. type(asked) .. ", not a text"
    return "failed", why, traceback(main)
end

return prepare, step
