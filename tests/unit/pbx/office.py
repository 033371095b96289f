"""A whole office in memory: the real one, on a manual clock, with phones at the other end of a wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

from engine.core.bus import EventBus
from engine.core.clock import ManualClock
from engine.core.crew import Crew
from engine.core.events import Event
from engine.core.params import PARAMS
from engine.core.views import CallRecord, CallView, Lamp
from engine.media.gateway import Clip
from engine.net import endpoint
from engine.net.resolve import ManualResolver
from engine.pbx.exchange import MediaHost
from engine.pbx.office import Office
from engine.pbx.service import ServiceError, ServiceFile, ServiceHost, ServiceInstance
from engine.pbx.trunks.surroundings import ShortMemory
from engine.sip.digest import Secrets
from engine.sip.flow import Flow
from engine.store.bindings import StoredBinding
from engine.store.configuration import Configuration, DigestSecrets, Extension
from engine.store.outside import Night
from engine.store.subscriptions import StoredSubscription
from tests.unit.pbx.media import MemoryGateway, MemoryMedia
from tests.unit.pbx.phone import PORT, MemoryPhone, PhoneCall
from tests.unit.pbx.wire import ManualLoop, Wire, WireSocket

REALM = "office"
OFFICE, OFFICE_V6 = "192.0.2.1", "2001:db8::1"
LINGERING_S = 110.0
"""Longer than any transaction, re-sent answer or given-up INVITE may live."""
_MOST_ROUNDS = 20_000

Result = TypeVar("Result")


def password_of(number: str) -> str:
    return f"secret-{number}"


def secrets_of(number: str, password: str) -> DigestSecrets:
    known = Secrets.of(number, REALM, password)
    return DigestSecrets(known.md5, known.sha256)


def plain_extension(number: str) -> Extension:
    return Extension(number, None, secrets_of(number, password_of(number)))


class NoServices:
    """A service host that knows no service."""

    async def open(self, service: str, facts: Mapping[str, Any]) -> ServiceInstance:
        raise ServiceError(f"there is no service '{service}'")

    async def look(self) -> tuple[ServiceFile, ...]:
        return ()

    async def check(self, service: str, source: bytes) -> str | None:
        return None


class MemoryKeeper:
    """What services change and remember, in the office's own configuration."""

    def __init__(self, office: MemoryOffice) -> None:
        self._office = office
        self.known: dict[tuple[str, str, str], Any] = {}
        self.folder = Path("/nonexistent")

    def recall(self, service: str, owner: str, key: str) -> Any:
        return self.known.get((service, owner, key))

    def remember(self, service: str, owner: str, key: str, value: Any) -> None:
        self.known[service, owner, key] = value

    async def change_extension(self, number: str, **fields: Any) -> None:
        office = self._office
        known = dict(office.configuration.extensions)
        known[number] = replace(known[number], **fields)
        await self._apply(extensions=MappingProxyType(known))

    async def set_night(self, position: str) -> None:
        await self._apply(night=Night(position))

    async def _apply(self, **fields: Any) -> None:
        office = self._office
        office.configuration = replace(office.configuration, revision=office.configuration.revision + 1, **fields)
        await office.office.apply(office.configuration)


class MemoryOffice:
    """The office and its world. Phones act at once; ``settle`` lets the news spread, ``advance`` lets time pass."""

    def __init__(
        self,
        seed: int = 1,
        *,
        stored: Iterable[StoredBinding] = (),
        extensions: Iterable[str] = (),
        services: ServiceHost | None = None,
        watching: Iterable[StoredSubscription] = (),
    ) -> None:
        self.clock = ManualClock()
        self.loop = ManualLoop(self.clock)
        self.wire = Wire(self.clock, seed)
        self.gateway = MemoryGateway()
        self.resolver = ManualResolver()
        self.line_memory = ShortMemory()
        self.phones: list[MemoryPhone] = []
        self.keeper = MemoryKeeper(self)
        self.records: list[CallRecord] = []
        self.events: list[Event] = []
        self.stored: dict[tuple[str, str], StoredBinding] = {}
        self.watching: dict[tuple[str, str], StoredSubscription] = {
            (each.call_id, each.local_tag): each for each in watching
        }
        """The subscriptions that are stored."""
        self.configuration = Configuration(
            1,
            REALM,
            extensions=MappingProxyType({number: plain_extension(number) for number in extensions}),
            params=MappingProxyType({name: param.default for name, param in PARAMS.items()}),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.office = Office(
            clock=self.clock,
            gateway=self.gateway,
            configuration=self.configuration,
            put_binding=self._put,
            drop_binding=self._drop,
            record=self.records.append,
            hold_music=lambda: Clip("music", b"\0\0" * 160),
            services=services or NoServices(),
            keeper=self.keeper,
            media_host=MediaHost(),
            resolver=self.resolver,
            line_memory=self.line_memory,
            crew=Crew(self),  # type: ignore[arg-type]
            put_subscription=self._put_subscription,
            drop_subscription=self._drop_subscription,
        )
        dice = Random(seed)
        self.office.agent.token = self.office.agent.layer._token = lambda size: dice.randbytes(size).hex()
        self.office.exchange.trunks.around.random = Random(seed)
        self.bus.listen(self.events.append)
        self.run(self._start([*stored]))

    async def _start(self, stored: list[StoredBinding]) -> None:
        for host in (OFFICE, OFFICE_V6):
            self.office.endpoint.add_socket(WireSocket(self.wire, host, PORT))
            self.wire.attach((host, PORT), self.office.endpoint.receive)
        self.office.start(stored, [*self.watching.values()])
        self.office._loop_pulse.stop()  # fifty beats a second would be most of what a test does

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """What a task group does for the crew."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """End what still runs and close the loop."""
        self.office.close()
        for task in self._tasks:
            task.cancel()
        self.run(asyncio.sleep(0))
        self.run(asyncio.sleep(0))
        self.loop.close()

    # -- people -------------------------------------------------------------------------------------------------

    def has(self, *numbers: str, **fields: Any) -> None:
        """Give the office these extensions, or change them; takes effect at once."""
        known = dict(self.configuration.extensions)
        for number in numbers:
            known[number] = replace(known.get(number) or plain_extension(number), **fields)
        self.configure(extensions=MappingProxyType(known))

    def loses(self, number: str) -> None:
        """Remove an extension from the configuration."""
        known = {key: value for key, value in self.configuration.extensions.items() if key != number}
        self.configure(extensions=MappingProxyType(known))

    def sets(self, **params: Any) -> None:
        """Set site parameters."""
        self.configure(params=MappingProxyType({**self.configuration.params, **params}))

    def configure(self, **fields: Any) -> None:
        self.configuration = replace(self.configuration, revision=self.configuration.revision + 1, **fields)
        self.run(self.office.apply(self.configuration))

    def phone(
        self, number: str, *, host: str | None = None, port: int = PORT, password: str | None = None
    ) -> MemoryPhone:
        """A phone that knows its login and is not registered."""
        host = host or f"192.0.2.{10 + len(self.phones)}"
        at = (OFFICE_V6 if ":" in host else OFFICE, PORT)
        phone = MemoryPhone(self.wire, at, REALM, number, password or password_of(number), host, port)
        self.phones.append(phone)
        return phone

    def registered(self, *numbers: str) -> list[MemoryPhone]:
        """Extensions with a registered phone each."""
        self.has(*(number for number in numbers if number not in self.configuration.extensions))
        phones = [self.phone(number) for number in numbers]
        for phone in phones:
            phone.register()
        self.settle()
        assert all(phone.last.status == 200 for phone in phones)
        return phones

    def talking(
        self, caller: str = "101", callee: str = "102"
    ) -> tuple[MemoryPhone, MemoryPhone, PhoneCall, PhoneCall]:
        """Two phones that talk: the phones, and the call as each of them lives it."""
        alice, bob = self.registered(caller, callee)
        made = alice.call(callee)
        self.settle()
        bob.ringing.answer()
        self.settle()
        assert made.is_up
        assert bob.ringing.is_up
        return alice, bob, made, bob.ringing

    # -- time ---------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Deliver messages and let tasks run until nothing moves."""
        self.run(self._settle())

    def advance(self, seconds: float) -> None:
        """Let time pass: whatever is due on the way happens on the way."""
        self.run(self._advance(seconds))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.loop.run_until_complete(work)

    def in_one_breath(self, *deeds: Callable[[], object]) -> None:
        """Everything reaches the office before the gateway answers anything that its calls ask meanwhile."""

        async def breath() -> None:
            for deed in deeds:
                deed()
                while self._move():
                    """What one says may make another speak."""

        self.gateway.hesitates = True
        self.run(breath())
        self.gateway.hesitates = False
        self.settle()

    def throw(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None = None) -> None:
        """Let bytes arrive at the office's end of ``flow``, whoever may have sent them."""

        async def arrive() -> None:
            self.office.endpoint.receive(data, flow, refusal)
            await self._settle()

        self.run(arrive())

    def while_time_passes(self, work: Coroutine[Any, Any, Result], seconds: float) -> Result:
        """Do something of the office that takes time, at most ``seconds``."""

        async def both() -> Result:
            task = self.loop.create_task(work)
            await self._advance(seconds)
            assert task.done(), "it takes longer"
            return task.result()

        return self.run(both())

    async def _settle(self) -> None:
        for _ in range(_MOST_ROUNDS):
            has_moved = self._move()
            await asyncio.sleep(0)
            if not has_moved and self.loop.is_quiet and not self.wire.has_arrivals:
                return
        raise AssertionError("the office never comes to rest")

    def _move(self) -> bool:
        has_moved = self.wire.deliver()
        for phone in self.phones:
            if phone.is_awake:
                has_moved |= phone.flush()
        return has_moved

    async def _advance(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        await self._settle()
        while (due := self._next_due()) is not None and due <= end:
            self.clock.advance(max(0.0, due - self.clock.now()))
            now = self.clock.now()
            for phone in self.phones:
                at = phone.next_timer
                if at is not None and at <= now:
                    phone.agent.advance(phone.now)
            await self._settle()
        self.clock.advance(max(0.0, end - self.clock.now()))
        await self._settle()

    def _next_due(self) -> float | None:
        moments = [self.wire.next_arrival, self.loop.next_timer]
        moments += [phone.next_timer for phone in self.phones]
        return min((moment for moment in moments if moment is not None), default=None)

    # -- what is seen -------------------------------------------------------------------------------------------

    @property
    def bus(self) -> EventBus:
        return self.office.bus

    @property
    def call(self) -> CallView:
        """The only call."""
        (view,) = self.office.calls()
        return view

    @property
    def record(self) -> CallRecord:
        """The only record."""
        (record,) = self.records
        return record

    def lamp(self, number: str) -> Lamp:
        return self.office.lamps()[number]

    def contacts(self, number: str) -> list[str]:
        return [binding.contact for binding in self.office.bindings.of(number)]

    def heard_events(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    def media_of(self, phone: MemoryPhone) -> MemoryMedia:
        """The gateway's leg towards a phone."""
        (media,) = (item for item in self.gateway.legs.values() if self._owner(item) is phone)
        return media

    def hears(self, phone: MemoryPhone) -> str | None:
        """What a phone hears: a clip's name, another phone's number, or nothing."""
        media = self.media_of(phone)
        assert media.plan is not None
        if not media.plan.flow.sends or media.plan.remote is None:
            return None
        if media.playing is not None:
            return media.playing.name
        opposite = self.gateway.legs[media.opposite] if media.opposite is not None else None
        if opposite is None or opposite.plan is None or not opposite.plan.flow.receives:
            return None
        speaker = self._owner(opposite)
        return speaker.number if speaker is not None else None

    def _owner(self, media: MemoryMedia) -> MemoryPhone | None:
        remote = media.plan.remote if media.plan is not None else None
        return next(
            (phone for phone in self.phones if remote and remote.port == phone.rtp_port), None
        )  # fmt: skip

    # -- the end ------------------------------------------------------------------------------------------------

    def everyone_hangs_up(self) -> None:
        """Every phone ends every call it has, and all that may linger has its time."""
        self.wire.unreachable.clear()
        if self.configuration.trunks:
            self.configure(trunks=MappingProxyType({}))
        for phone in self.phones:
            for call in phone.calls:
                for one in (call, *(branch for branch in call.branches if branch.is_up)):
                    one.hang_up()
        self.linger()

    def linger(self, seconds: float = LINGERING_S) -> None:
        """Let time pass with nobody doing anything: the endpoint may look at its timers less often."""
        tick, endpoint._TICK_S = endpoint._TICK_S, 1.0
        try:
            self.advance(seconds)
        finally:
            endpoint._TICK_S = tick

    def assert_nothing_is_left(self) -> None:
        """No call, session, transaction, timer, media leg or lamp's leg."""
        exchange, agent, layer = self.office.exchange, self.office.agent, self.office.agent.layer
        assert not exchange.calls
        assert not self.gateway.legs
        assert not self.office.lamp_board._legs
        assert not agent.sessions, list(agent.sessions.values())
        assert not layer.clients, [item.describe() for item in layer.clients.values()]
        assert not layer.servers, [item.describe() for item in layer.servers.values()]
        assert not layer._merged
        assert not len(layer.book)
        assert len(self._tasks) <= 1, self._tasks
        assert all(
            lamp in (Lamp.IDLE, Lamp.DND, Lamp.UNREGISTERED, Lamp.UNREACHABLE)
            for lamp in self.office.lamps().values()
        )

    def _put(self, binding: StoredBinding) -> None:
        self.stored[binding.extension, binding.contact] = binding

    def _put_subscription(self, kept: StoredSubscription) -> None:
        self.watching[kept.call_id, kept.local_tag] = kept

    def _drop_subscription(self, call_id: str, tag: str) -> None:
        self.watching.pop((call_id, tag), None)

    def _drop(self, extension: str, contact: str) -> None:
        self.stored.pop((extension, contact), None)
