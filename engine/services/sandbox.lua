-- luacheck: max line length 120
-- Builds the sandbox of one service: what it may use, how much it may compute, and its verbs.
-- The host calls it with the limits and gets `prepare` and `step`, which take and give plain values alone. Nothing
-- here may call what a service can replace: all is kept in locals.
-- luacheck: globals debug load string coroutine setmetatable xpcall pcall

local BUDGET, SLICE = ...
local LONGEST_WAIT_S = 86400
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
local find, pack, unpack = string.find, table.pack, table.unpack
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

local function ask(verb, argument)
    if is_over then
        return nil, "ended"
    end
    if running() ~= main then
        blame("verbs belong in the service itself, not in a coroutine of its own")
    end
    local event, value, failure = yield(verb, argument)
    if event == "hangup" then
        error("hangup", 0)
    elseif event == "ended" then
        return nil, "ended"
    end
    return value, failure
end

function call:answer() -- luacheck: no unused
    return ask("answer")
end

function call:play(clip) -- luacheck: no unused
    if type(clip) ~= "string" then
        blame("call:play needs the name of a clip")
    end
    return ask("play", clip)
end

function call:echo() -- luacheck: no unused
    return ask("echo")
end

function call:wait(seconds) -- luacheck: no unused
    if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= LONGEST_WAIT_S) then
        blame("call:wait needs seconds from 0 to " .. LONGEST_WAIT_S)
    end
    return ask("wait", seconds)
end

function call:hangup() -- luacheck: no unused
    return ask("hangup")
end

-- What the host calls ---------------------------------------------------------------------------------------

-- Compiles a service; returns what is wrong with it, or nothing.
local function prepare(source, name, caller, dialled)
    local chunk, complaint = compile(source, "@" .. name, "t")
    if not chunk then
        return complaint
    end
    call.caller, call.dialled = caller, dialled
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
-- where. `event` is "go" (with what the last verb gave), "ended", or "hangup", which the pending verb raises.
local function step(event, value, failure)
    if status(main) == "dead" then
        return "over", nil, nil
    end
    left = BUDGET
    is_over = is_over or event ~= "go"
    local is_well, verb, argument = resume(main, event, value, failure)
    if is_well then
        if is_over or status(main) == "dead" then
            return "over", nil, nil
        end
        return "verb", verb, argument
    elseif is_over and verb == "hangup" then
        return "over", nil, nil
    end
    reserve = nil
    local why = type(verb) == "string" and verb or "raised an error that is a " .. type(verb) .. ", not a text"
    return "failed", why, traceback(main)
end

return prepare, step
