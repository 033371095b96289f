"""Services that mean harm, while fifty calls run: each ends its own call, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from engine.core.events import ServiceFailed
from engine.core.views import CallState
from engine.pbx.service import ServiceError
from engine.services import LuaServices
from engine.services.pool import Pool
from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.host import write_service

CALLS = 50
HOSTILE = {
    "loop": "while true do end",
    "loop_in_pcall": "while true do pcall(function() while true do end end) end",
    "loop_after_the_answer": "call:answer() while true do pcall(call.play, call, 'beep') for _ = 1, 1e6 do end end",
    "verbs_without_end": "while true do call:set('key', 'value') for _ = 1, 1000 do end end",
    "memory": "local all = {} while true do all[#all + 1] = ('x'):rep(1e5) .. #all end",
    "long_text": "local text = 'x' while true do text = text .. text end",
    "recursion": "local function deep() return 1 + deep() end pcall(deep) return deep()",
    "coroutines": "local function more() coroutine.wrap(more)() end while true do pcall(coroutine.wrap(more)) end",
    "pcall_around_all": "local function again() pcall(again) xpcall(again, again) again() end again()",
    "metatable": "setmetatable(_G, {__index = function(t, k) return t[k .. 'x'] end}) return nothing",
    "huge_argument": "call:set('key', ('x'):rep(1e6))",
    "huge_table": "local t = {} for n = 1, 1e5 do t[n] = n end call:set('key', t)",
    "deep_table": "local t = {} local u = t for _ = 1, 50 do u.x = {} u = u.x end call:set('key', t)",
    "table_in_itself": "local t = {} t.t = t call:set('key', t)",
    "function_as_argument": "call:set('key', function() end)",
    "python": "python.eval('1')",
    "files": "io.open('/etc/passwd')",
    "system": "os.execute('true')",
    "load": "load('while true do end')()",
    "dump": "string.dump(service.run)",
    "finalizer": "setmetatable({}, {__gc = function() while true do end end})",
    "another_call": "call.answer({})",
    "verb_that_is_none": "call:launch_missiles()",
    "no_text_as_error": "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "yield": "coroutine.yield('hangup')",
    "coroutines_in_coroutines": "local function deeper(n) return coroutine.wrap(function() "
    "while true do pcall(deeper, n + 1) end end)() end deeper(1)",
    "closing_coroutines": "local co = coroutine.create(function() local last <close> = "
    "setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end) "
    "coroutine.resume(co) coroutine.close(co) coroutine.yield()",
    "huge_repeat": "return ('x'):rep(1e15)",
    "huge_format": "return ('%99999d'):format(1)",
    "huge_concat": "local t = {} for n = 1, 1e5 do t[n] = ('x'):rep(1e4) end return table.concat(t)",
    "growing_gsub": "local text = ('x'):rep(1e4) while true do text = text:gsub('x', 'xx') end",
    "endless_sort": "local t = {} for n = 1, 1e5 do t[n] = n end "
    "while true do table.sort(t, function() return math.random(2) == 1 end) end",
    "unpacked_arguments": "return call:log(table.unpack({}, 1, 1e7))",
    "endless_tostring": "call:log(setmetatable({}, {__tostring = function(self) return tostring(self) end}))",
    "strings_of_others": "getmetatable('').__index = nil",
    "verbs_of_others": "getmetatable(call).__index.answer = nil",
    "environment": "_ENV = nil return call.caller.x.y",
    "debugging": "debug.sethook()",
    "packages": "package.loadlib('libc.so.6', 'system')",
    "files_of_others": "dofile('../../../office.db')",
    "hanging_in_cleaning_up": "call:answer() pcall(call.wait, call, 0.1) call:hangup() while true do end",
}


def fifty_calls(office: MemoryOffice) -> list[str]:
    """Fifty pairs that talk; whom each caller hears."""
    callers = office.registered(*(f"1{number:03d}" for number in range(CALLS)))
    callees = office.registered(*(f"2{number:03d}" for number in range(CALLS)))
    for phone in callees:
        phone.picks_up = True
    for caller, callee in zip(callers, callees, strict=True):
        caller.call(callee.number)
    office.settle()
    return [office.hears(phone) or "" for phone in callers]


def test_fifty_calls_notice_nothing_of_hostile_services(office: MemoryOffice, own: Path) -> None:
    heard = fifty_calls(office)
    assert heard == [f"2{number:03d}" for number in range(CALLS)]
    (mallory,) = office.registered("666")
    took: dict[str, float] = {}
    for name, body in HOSTILE.items():
        write_service(own, "echo", body)
        began = time.perf_counter()
        call = mallory.call("*43")
        office.settle()
        took[name] = (time.perf_counter() - began) * 1000
        office.advance(1)
        assert not call.is_up, f"{name} holds its call"
    talking = [view for view in office.office.calls() if view.state is CallState.TALKING]
    assert len(talking) == CALLS
    assert [office.hears(phone) for phone in office.phones[:CALLS]] == heard
    assert len(office.heard_events(ServiceFailed)) == len(HOSTILE)
    worst = max(took, key=lambda name: took[name])
    print(f"{len(HOSTILE)} hostile services beside {CALLS} calls, the slowest: {worst} {took[worst]:.0f} ms")


@pytest.mark.parametrize("name", ["loop", "memory", "recursion", "coroutines", "pcall_around_all"])
async def test_the_loop_goes_on_while_a_hostile_service_has_a_thread(tmp_path: Path, name: str) -> None:
    """What counts is how long the engine's loop is kept from its next turn."""
    write_service(tmp_path, name, HOSTILE[name])
    pool = Pool(workers=2)
    host = LuaServices(tmp_path, tmp_path, pool)
    delays: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            delays.append((time.perf_counter() - began - 0.002) * 1000)

    beating = asyncio.create_task(beat())
    try:
        instances = [await host.open(name, {"caller": "666"}) for _ in range(4)]
        for outcome in await asyncio.gather(*(each.resume() for each in instances), return_exceptions=True):
            assert isinstance(outcome, ServiceError)
    finally:
        beating.cancel()
        host.close()
    delays.sort()
    print(f"{name}: the loop is late by {delays[len(delays) // 2]:.1f} ms, at most {delays[-1]:.1f} ms")
    assert delays[len(delays) // 2] < 20
