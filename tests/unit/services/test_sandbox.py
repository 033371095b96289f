"""What a service cannot do: reach out of its VM, or go on for ever."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.pbx.service import ServiceError, Verb
from engine.services.machine import Machine
from tests.unit.services.host import write_service

FACTS = {"caller": "101", "dialled": "*43", "settings": {"language": "en"}}


def machine(file: Path) -> Machine:
    return Machine(file, file.read_bytes(), FACTS)


def run(folder: Path, body: str) -> Verb | None:
    """The first verb of a service, or ``None`` when it is done; ``body`` begins on line 3."""
    return machine(write_service(folder, "tried", body)).resume(None, None)


@pytest.mark.parametrize(
    "name",
    [
        "os", "io", "debug", "package", "require", "load", "loadfile", "dofile", "loadstring", "python", "lupa",
        "collectgarbage", "print", "warn", "string.dump", "_G.os", "_G.python", "_ENV.debug",
    ],
)  # fmt: skip
def test_what_leads_out_is_not_there(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, f"assert({name} == nil)") is None


@pytest.mark.parametrize("name", ["assert", "pcall", "string.format", "table.concat", "math.floor", "utf8.char"])
def test_what_services_need_is_there(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, f'assert(type({name}) == "function")') is None


def test_no_value_within_reach_is_a_python_object(tmp_path: Path) -> None:
    body = """
    local seen = {}
    local function visit(value)
        if seen[value] then return end
        assert(type(value) ~= "userdata")
        if type(value) == "table" then
            seen[value] = true
            for key, inner in next, value do visit(key) visit(inner) end
        end
    end
    visit(_G) visit(call)
    """
    assert run(tmp_path, body) is None


@pytest.mark.parametrize(
    "body",
    [
        'os.execute("true")',
        'io.open("/etc/passwd")',
        'require("os")',
        'load("return 1")()',
        "python.eval('1')",
        "string.dump(service.run)",
        'getmetatable("").__index.x = 1',
        'setmetatable("", {})',
        "setmetatable({}, {__gc = function() end})",
        'coroutine.yield("hangup")',
        "coroutine.wrap(function() call:answer() end)()",
        "call:wait(0 / 0)",
        "call:wait(-1)",
        'call:wait("1")',
        "call:play(7)",
    ],
)
def test_what_is_forbidden_is_an_error_with_its_line(tmp_path: Path, body: str) -> None:
    with pytest.raises(ServiceError, match=r"^tried\.lua:3: ") as caught:
        run(tmp_path, body)
    assert str(tmp_path / "tried.lua") in caught.value.trace


@pytest.mark.parametrize(
    "body",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(pcall, pcall, function() while true do end end) end",
        "local function deep() pcall(deep) deep() end deep()",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
        "while true do coroutine.wrap(function() for _ = 1, 300 do end end)() end",
        "while true do local co = coroutine.create(function() while true do end end) coroutine.resume(co) end",
        "local loop = setmetatable({}, {__index = function(self, key) return self[key .. 1] end}) return loop.x",
        "do local last <close> = setmetatable({}, {__close = function() while true do end end}) end",
        'local function bomb() local t = {} while true do t[#t + 1] = ("x"):rep(1e4) .. #t end end '
        "while true do pcall(bomb) end",
        "goto again ::again:: goto again",
    ],
)  # fmt: skip
def test_what_never_ends_is_stopped(tmp_path: Path, body: str) -> None:
    began = time.thread_time()
    with pytest.raises(ServiceError, match=r"^tried\.lua:3: (used up its \d+ instructions|.*overflow|.*memory)"):
        run(tmp_path, body)
    assert time.thread_time() - began < 1.0


@pytest.mark.parametrize(
    "body",
    [
        "local all = {} while true do all[#all + 1] = {} end",
        'local text = "x" while true do text = text .. text end',
        'return ("x"):rep(1e9)',
        "local function deep() return 1 + deep() end return deep()",
    ],
)
def test_a_memory_bomb_is_stopped(tmp_path: Path, body: str) -> None:
    with pytest.raises(ServiceError, match=r"^tried\.lua:3: .*(not enough memory|stack overflow|used up)"):
        run(tmp_path, body)


def test_a_budget_is_for_one_step(tmp_path: Path) -> None:
    body = 'for _ = 1, 50 do for _ = 1, 50000 do end call:play("beep") end'
    tried = machine(write_service(tmp_path, "tried", body))
    assert [tried.resume(True, None) for _ in range(51)] == [Verb("play", {"clip": "beep"})] * 50 + [None]


@pytest.mark.parametrize(
    "value", ["{}", "nil", "setmetatable({}, {__tostring = function() while true do end end})"]
)
def test_an_error_that_is_no_text_is_reported(tmp_path: Path, value: str) -> None:
    with pytest.raises(ServiceError, match=r"tried\.lua:3: raised an error that is a (table|nil), not a text"):
        run(tmp_path, f"error({value})")


def test_bytes_that_are_no_text_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"tried\.lua:3: a\ufffdb"):
        run(tmp_path, r'error("a\xffb")')


@pytest.mark.parametrize("text", ["return 1", "return {}", "", "return {run = 1}"])
def test_a_file_that_is_no_service_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tried.lua").write_text(text)
    with pytest.raises(ServiceError, match=r"tried\.lua: must return a table with a function 'run'"):
        machine(tmp_path / "tried.lua").resume(None, None)


def test_compiled_lua_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tried.lua").write_bytes(b"\x1bLua\x54\x00")
    with pytest.raises(ServiceError, match="binary chunk"):
        machine(tmp_path / "tried.lua")
