"""The exchange: what every call shares of the office."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from engine.core.audit import AuditEntry
from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.crew import Crew
from engine.core.events import AlarmRaised, ServiceFailed
from engine.core.ids import CallId
from engine.core.views import CallRecord
from engine.media.gateway import Clip, MediaGateway, MediaLegId, RecordingId
from engine.media.tones import tone
from engine.net.endpoint import Endpoint
from engine.net.nat import Nat
from engine.net.web import Web
from engine.pbx.bindings import BindingTable
from engine.pbx.hunting import Hunting
from engine.pbx.lamps import LampBoard
from engine.pbx.loops import LoopGuard
from engine.pbx.rooms import Rooms
from engine.pbx.screening import Screening
from engine.pbx.trace import Trace
from engine.pbx.trunks.board import TrunkBoard
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow
from engine.store.configuration import Configuration, Extension
from engine.store.outside import Trunk

if TYPE_CHECKING:
    from engine.pbx.call import Call
    from engine.pbx.errands import Errands
    from engine.pbx.keeper import Keeper
    from engine.pbx.leg import Leg
    from engine.pbx.service import ServiceHost

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MediaHost:
    """Where the gateway listens and what SDP announces instead; ``None`` follows the signalling address."""

    host: str | None = None
    advertised: str | None = None

    def local_for(self, signalling_host: str) -> str:
        """The address to bind for a peer that reaches us at ``signalling_host``: of the same family at least."""
        if self.host is not None and (":" in self.host) == (":" in signalling_host):
            return self.host
        return signalling_host

    def announced(self, bound_host: str, flow: Flow, nat: Nat) -> str:
        """What SDP says for a bound address to the peer of ``flow``."""
        if self.advertised and bound_host == self.host and not nat.is_inside(flow.remote_host):
            return self.advertised
        return flow.told_host if flow.is_translated else bound_host


class LastCalls(NamedTuple):
    """What an extension dialled last, and who called it last in which call."""

    dialled: str | None = None
    caller: str | None = None
    call: str | None = None


class Handed(NamedTuple):
    """A party that an operator has transferred or parked, and until when on the clock it may be fetched back."""

    party: Leg
    until: float


_ENDED_KEPT = 64
"""As many as a console can show."""


@dataclass(slots=True)
class Exchange:
    """Owned by the office; calls reach each other's world only through it."""

    agent: UserAgent
    endpoint: Endpoint
    gateway: MediaGateway
    clock: Clock
    bus: EventBus
    bindings: BindingTable
    lamps: LampBoard
    crew: Crew
    record: Callable[[CallRecord], None]
    hold_music: Callable[[], Clip]
    services: ServiceHost
    configuration: Configuration
    keeper: Keeper
    trunks: TrunkBoard
    web: Web
    """What services ask by HTTP."""
    media_host: MediaHost = field(default_factory=MediaHost)
    trace: Trace = field(default_factory=Trace)
    screening: Screening = field(default_factory=lambda: Screening(random.random))
    loops: LoopGuard = field(default_factory=lambda: LoopGuard(secrets.token_bytes(16)))
    calls: dict[CallId, Call] = field(default_factory=dict)
    ended: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=_ENDED_KEPT))
    """The calls that ended last, the newest at the end."""
    rooms: Rooms = field(default_factory=Rooms)
    listened: dict[MediaLegId, Leg] = field(default_factory=dict)
    """The legs whose digits somebody wants to hear."""
    hunting: Hunting = field(default_factory=Hunting)
    prompts: Callable[[str, str], Clip | None] = lambda name, language: None
    """Finds a prompt by its name and a language."""
    audit: Callable[[AuditEntry], None] = lambda entry: None
    """Keeps a deed of an operator."""
    recorders: dict[RecordingId, Call] = field(default_factory=dict)
    """The calls that a service records."""
    name_of: Callable[[str], str | None] = lambda number: None
    """The name that the office's contacts have for a number outside."""
    touch_mailbox: Callable[[str], None] = lambda number: None
    """Called when messages came to a box or went."""
    note_end: Callable[[CallRecord, tuple[str, ...]], None] = lambda record, numbers: None
    """Called with the record of each call and the extensions that took part."""
    unattended: set[CallId] = field(default_factory=set)
    """The calls that services without a caller have made."""
    note_message: Callable[[str, str], None] = lambda box, message: None
    """Called when somebody has left a message in a box."""
    errands: Errands | None = None
    """What services have put off; set by the office."""
    handed: dict[str, Handed] = field(default_factory=dict)
    """Whom each extension has given away last, for a while."""
    failed_services: dict[str, ServiceFailed] = field(default_factory=dict)
    """Of each service that failed, how it did so the last time."""
    last_calls: dict[str, LastCalls] = field(default_factory=dict)
    """By extension."""
    revision: int = 0
    """Rises with every change of any call."""
    _quiet: asyncio.Event | None = None

    def ringback(self) -> Clip:
        """What a caller hears of a phone that rings, as the site's country makes it."""
        return tone("ringback", self.configuration.params["tones"])

    def note_call_over(self) -> None:
        """A call has ended and left nothing behind."""
        if self._quiet is not None and not self.calls:
            self._quiet.set()

    async def wait_until_quiet(self, seconds: float) -> None:
        """Until no call is left, ``seconds`` at most."""
        if not self.calls:
            return
        self._quiet = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), seconds)
        self._quiet = None

    def note_numbers(self, legs: Sequence[Leg], dialled: str, call: CallId) -> None:
        """A call is over: its extensions may want to dial again, or say that it was malicious."""
        for place, leg in enumerate(legs):
            if leg.extension is None:
                continue
            number = leg.extension.number
            known = self.last_calls.get(number) or LastCalls()
            if place:
                self.last_calls[number] = known._replace(caller=legs[0].number, call=call)
            elif not dialled.startswith("*"):
                self.last_calls[number] = known._replace(dialled=dialled)

    async def listen(self, leg: Leg) -> None:
        """From now on the keys that this party presses are cues of its call, until the leg is closed."""
        if self.listened.get(leg.media) is not leg:
            self.listened[leg.media] = leg
            await self.gateway.listen_digits(leg.media, in_band=True)

    async def listen_events(self, leg: Leg) -> None:
        """The same for the events (RFC 4733) of a party alone; who is listened to already stays so."""
        if self.listened.get(leg.media) is not leg:
            self.listened[leg.media] = leg
            await self.gateway.listen_digits(leg.media)

    def forget(self, leg: Leg) -> None:
        """The leg is closed: nobody listens any more."""
        if self.listened and leg.has_media:
            self.listened.pop(leg.media, None)

    def hear_recording_failed(self, recording: RecordingId, reason: str) -> None:
        """From the gateway: everybody is told, and the call that it was for."""
        from engine.pbx.call import RecordingFailed  # these lead back here
        from engine.pbx.recording import lose_recording

        log.error("a recording has ended by itself: %s", reason)
        self.bus.publish(AlarmRaised(self.clock.wall(), f"a recording has ended by itself: {reason}"))
        call = self.recorders.get(recording)
        if call is not None:
            call.post(RecordingFailed(reason))
        for each in self.calls.values():
            if each.recorder is not None and each.recorder.id == recording:
                self.crew.run(lose_recording(each), "a recording that has ended")

    def hear_digit(self, media: MediaLegId, digit: str) -> None:
        """From the gateway."""
        from engine.pbx.call import Pressed  # it leads back here

        leg = self.listened.get(media)
        if leg is not None:
            leg.post(Pressed(leg, digit))

    def codecs_of(self, peer: Extension | Trunk) -> tuple[str, ...]:
        """The codecs that an extension or a trunk may use, best first."""
        site: tuple[str, ...] = self.configuration.params["codecs"]
        return peer.codecs or site

    def new_call_id(self) -> CallId:
        """A short id that no live call has."""
        while True:
            call = CallId(self.agent.token(4))
            if call not in self.calls:
                return call
