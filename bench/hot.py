"""The hot path in memory: the real office, gateway, store and log, with no network and little noise.

``make bench ARGS=hot`` counts Python function calls per call and per REGISTER pair, which are the same on every
machine, and CPU time, the least of several batches. What the kernel takes for datagrams is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

import psutil
import uvloop

from bench.hot_phones import OFFICE_HOST, OFFICE_PORT, CallingPhone, RegisteringPhone, answered
from bench.machine import is_compiled
from bench.progress import say
from engine.core.clock import SystemClock
from engine.core.crew import Crew
from engine.core.log import open_log
from engine.core.params import PARAMS
from engine.media.native import NativeGateway
from engine.media.tones import hold_music
from engine.net.resolve import ManualResolver
from engine.pbx.exchange import MediaHost
from engine.pbx.office import Office
from engine.pbx.trunks.surroundings import ShortMemory
from engine.services import LuaServices
from engine.sip.digest import Secrets
from engine.sip.flow import Flow
from engine.store.configuration import Configuration, DigestSecrets, Extension
from engine.store.keeper import StoredKeeper
from engine.store.store import Store

CALLER, CALLEE = "901", "902"
REALM = "office"
CALLS, PAIRS = 200, 500
"""In one batch."""
BATCHES, SHORT_BATCHES = 12, 2
LINGERING_S = 70.0
"""Between two batches: the transactions of the one before are over."""
LAYERS = ("engine/sip", "engine/pbx", "engine/core", "engine/net", "engine/store", "engine/media")


class StandingClock(SystemClock):
    """The machine's time of day; seconds pass only when told to, so that no timer depends on the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


class NullSocket:
    """Keeps what the office sends."""

    host, port = OFFICE_HOST, OFFICE_PORT

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes, flow: Flow) -> None:
        self.sent.append(data)

    def take(self) -> list[bytes]:
        sent, self.sent = self.sent, []
        return sent

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Meter:
    """CPU seconds of the main thread inside the office, and the functions called there when asked for."""

    main_s: float = 0.0
    is_counting: bool = False
    functions: Counter[str] = field(default_factory=Counter)
    natives: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        if self.is_counting:
            sys.setprofile(self._count)
        before = time.thread_time()
        try:
            yield
        finally:
            self.main_s += time.thread_time() - before
            if self.is_counting:
                sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            self.functions[f"{code.co_filename}:{code.co_qualname}"] += 1
        elif event == "c_call":
            self.natives += 1


class HotOffice:
    """One office without a network, and what its phones do."""

    def __init__(self, group: asyncio.TaskGroup, store: Store) -> None:
        self.clock = StandingClock()
        self.store = store
        self.gateway = NativeGateway(30000, 59999)
        self.socket = NullSocket()
        self.meter = Meter()
        self.serial = 0
        secrets = {number: Secrets.of(number, REALM, f"pw-{number}") for number in self._numbers()}
        self.secrets = {number: known.md5 for number, known in secrets.items()}
        self.configuration = Configuration(
            1,
            REALM,
            extensions=MappingProxyType({
                number: Extension(number, None, DigestSecrets(known.md5, known.sha256), max_calls=None)
                for number, known in secrets.items()
            }),
            params=MappingProxyType({name: param.default for name, param in PARAMS.items()} | {"digest": "md5"}),
        )  # fmt: skip
        self.office = Office(
            clock=self.clock,
            gateway=self.gateway,
            configuration=self.configuration,
            put_binding=store.put_binding,
            drop_binding=store.drop_binding,
            record=store.put_record,
            hold_music=hold_music,
            services=LuaServices(store.folder / "lua", store.folder / "lua"),
            keeper=StoredKeeper(store),
            media_host=MediaHost(),
            resolver=ManualResolver(),
            line_memory=ShortMemory(),
            crew=Crew(group),
        )
        self.phones = [self._registering(f"{1000 + number}", number) for number in range(PAIRS)]

    @staticmethod
    def _numbers() -> list[str]:
        return [CALLER, CALLEE, *(f"{1000 + number}" for number in range(PAIRS))]

    def _registering(self, user: str, place: int) -> RegisteringPhone:
        return RegisteringPhone(user, self.secrets[user], REALM, f"127.0.{place // 200 + 4}.{place % 200 + 1}")

    async def begin(self) -> None:
        await self.gateway.start()
        self.office.endpoint.add_socket(self.socket)
        self.office.start([])
        callee = RegisteringPhone(CALLEE, self.secrets[CALLEE], REALM, "127.0.0.3")
        (challenge,) = await self.deliver([(callee.register(), callee.host)])
        (ok,) = await self.deliver([(callee.register(challenge), callee.host)])
        assert ok.startswith(b"SIP/2.0 200"), ok

    async def end(self) -> None:
        await self.office.drain(0.0)
        self.office.close()
        await self.gateway.stop()

    async def deliver(self, messages: list[tuple[bytes, str]]) -> list[bytes]:
        """Hand the office datagrams from phones on these hosts; what it sends, once it is at rest."""
        arrivals = [(data, _flow_of(host)) for data, host in messages]
        receive = self.office.endpoint.receive
        with self.meter.running():
            for data, flow in arrivals:
                receive(data, flow)
            for _ in range(4):
                await asyncio.sleep(0)
        return self.socket.take()

    def linger(self) -> None:
        """Let the transactions of a batch end; what that costs belongs to it."""
        with self.meter.running():
            for _ in range(int(LINGERING_S)):
                self.clock.seconds += 1.0
                self.office.agent.advance(self.clock.now())
                self.office.endpoint.flush()

    async def carry_calls(self, count: int) -> None:
        """So many calls at once, from INVITE to the last timer; raises ``AssertionError`` when one fails."""
        host, callee_host = "127.0.0.2", "127.0.0.3"
        callers = []
        for _ in range(count):
            self.serial += 1
            callers.append(CallingPhone(CALLER, self.secrets[CALLER], REALM, host, CALLEE, self.serial))
        challenges = await self.deliver([(caller.invite(), host) for caller in callers])
        _expect(challenges, b"SIP/2.0 407", count)
        answers = [
            data for caller, sent in zip(callers, challenges, strict=True) for data in caller.answer_challenge(sent)
        ]
        invites = await self.deliver([(data, host) for data in answers])
        _expect(invites, b"INVITE", count)
        ringing = [
            (answered(data, "180 Ringing", CALLEE, callee_host, self.serial + place), callee_host)
            for place, data in enumerate(invites)
        ]
        _expect(await self.deliver(ringing), b"SIP/2.0 180", count)
        picked_up = [
            (answered(data, "200 OK", CALLEE, callee_host, self.serial + place, with_sdp=True), callee_host)
            for place, data in enumerate(invites)
        ]
        sent = await self.deliver(picked_up)
        answers_200 = [data for data in sent if data.startswith(b"SIP/2.0 200")]
        _expect(answers_200, b"SIP/2.0 200", count)
        assert len(sent) == 2 * count
        acks = [(caller.acknowledge(data), host) for caller, data in zip(callers, answers_200, strict=True)]
        _expect(await self.deliver(acks), b"", 0)
        sent = await self.deliver([(caller.hang_up(), host) for caller in callers])
        byes = [data for data in sent if data.startswith(b"BYE")]
        _expect(byes, b"BYE", count)
        assert len(sent) == 2 * count
        gone = [(answered(data, "200 OK", CALLEE, callee_host, 0), callee_host) for data in byes]
        _expect(await self.deliver(gone), b"", 0)
        self.linger()
        assert not self.office.exchange.calls
        assert not self.office.agent.layer.servers
        assert not self.office.agent.sessions

    async def carry_registers(self, count: int) -> None:
        """So many challenged REGISTER pairs, one of each phone."""
        phones = self.phones[:count]
        challenges = await self.deliver([(phone.register(), phone.host) for phone in phones])
        _expect(challenges, b"SIP/2.0 401", count)
        answers = [
            (phone.register(sent), phone.host) for phone, sent in zip(phones, challenges, strict=True)
        ]  # fmt: skip
        _expect(await self.deliver(answers), b"SIP/2.0 200", count)
        self.linger()


def measure(*, is_short: bool) -> dict[str, Any]:
    """Figures of calls and REGISTER pairs."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-hot-") as scratch, _silent_log():
        store = Store.open(Path(scratch) / "state")
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_measure(store, SHORT_BATCHES if is_short else BATCHES))
        finally:
            gc.enable()
            gc.unfreeze()
            store.close()


async def _measure(store: Store, batches: int) -> dict[str, Any]:
    async with asyncio.TaskGroup() as group:
        hot = HotOffice(group, store)
        await hot.begin()
        figures = {
            "calls": await _section("calls", hot, hot.carry_calls, CALLS, batches),
            "registers": await _section("REGISTER pairs", hot, hot.carry_registers, PAIRS, batches),
            "is_compiled": is_compiled(),
        }
        await hot.end()
    return figures


async def _section(
    name: str, hot: HotOffice, carry: Callable[[int], Any], size: int, batches: int
) -> dict[str, Any]:
    say(f"hot: {batches} batches of {size} {name}")
    await carry(size)
    gc.collect()
    hot.meter = Meter(is_counting=True)
    await carry(size)
    counted = hot.meter
    garbage = gc.collect()
    resident = psutil.Process().memory_info().rss
    main_s: list[float] = []
    threads = _thread_seconds()
    for _ in range(batches):
        hot.meter = Meter()
        await carry(size)
        main_s.append(hot.meter.main_s)
    await asyncio.wrap_future(hot.store.flush())
    await asyncio.sleep(0.2)
    others_s = {
        name: seconds - threads.get(name, 0.0) for name, seconds in _thread_seconds().items() if name != "main"
    }
    total = size * batches
    return {
        "python_calls": round(sum(counted.functions.values()) / size, 1),
        "native_calls": round(counted.natives / size, 1),
        "python_calls_by_room": {
            layer: round(sum(count for name, count in counted.functions.items() if layer in name) / size, 1)
            for layer in LAYERS
        },
        "most_called": {
            name.rpartition("/engine/")[2]: round(count / size, 1)
            for name, count in counted.functions.most_common(40)
        },
        "cpu_ms_main": round(min(main_s) / size * 1000, 4),
        "cpu_ms_main_mean": round(sum(main_s) / total * 1000, 4),
        "cpu_ms_other_threads": {name: round(spent / total * 1000, 4) for name, spent in sorted(others_s.items())},
        "cyclic_garbage": round(garbage / size, 2),
        "kib_grown_per_1000": round((psutil.Process().memory_info().rss - resident) / 1.024 / total, 1),
    }


def _thread_seconds() -> dict[str, float]:
    """CPU seconds of each thread by its name, to the nanosecond."""
    names = {str(thread.native_id): thread.name for thread in threading.enumerate()}
    names[str(os.getpid())] = "main"
    seconds: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        name = names.get(task.name) or (task / "comm").read_text().strip()
        seconds[name] = seconds.get(name, 0.0) + int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def _expect(sent: list[bytes], start: bytes, count: int) -> None:
    assert len(sent) == count, f"{len(sent)} messages instead of {count}: {sent[:1]}"
    assert all(data.startswith(start) for data in sent), sent[0]


def _flow_of(host: str) -> Flow:
    return _FLOWS.setdefault(host, Flow("UDP", OFFICE_HOST, OFFICE_PORT, host, 5060))


_FLOWS: dict[str, Flow] = {}


@contextlib.contextmanager
def _silent_log() -> Iterator[None]:
    """The engine's own log, written for nobody."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        log = open_log()
        os.dup2(kept, 2)
    os.close(kept)
    try:
        yield
    finally:
        log.close()
