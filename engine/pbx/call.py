"""A call: its legs, its phase and its way from the first INVITE to its record."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple, Protocol

from engine.core.errors import FrontdeskError
from engine.core.events import CallChanged, CallEnded, CallStarted
from engine.core.ids import CallId
from engine.core.text import shown
from engine.core.views import (
    CallRecord,
    CallState,
    CallView,
    PartyRole,
    PartyState,
    QualityView,
    ReleasedBy,
)
from engine.pbx.exchange import Exchange
from engine.pbx.leg import Leg
from engine.pbx.routing import ToExtension, ToService, ToTrunks
from engine.pbx.trunks.causes import q850_reason
from engine.sip.diversion import Diversion
from engine.sip.identity import Caller
from engine.sip.session import Session

log = logging.getLogger(__name__)

NORMAL = "normal"
_WITH_SOMEBODY = (CallState.TALKING, CallState.HELD, CallState.CONFERENCE)
NO_ANSWER_IN_ACK = "488 No Answer In ACK"
"""The cause when our 200 carried an offer and the ACK brought nothing."""


class Begin:
    """The first cue of a call."""


class Release(NamedTuple):
    """Somebody other than the parties ends the call."""

    released_by: ReleasedBy
    cause: str
    reason: str | None = None
    """The Reason value (RFC 3326) that the party gave, for the other one."""


Told = Callable[[str | None], None]
"""Hears how a wish ended: ``None``, or why it came to nothing."""


def no_matter(failure: str | None) -> None:
    """Nobody wants to know how it ended."""


class Replaced(NamedTuple):
    """A new party comes for the place of another: its INVITE waits, or is answered already."""

    place: Leg
    newcomer: Leg
    offer: bytes
    """What its INVITE offers; empty for a late offer."""
    told: Told = no_matter


class Joined(NamedTuple):
    """A new party comes beside the two that talk."""

    newcomer: Leg
    offer: bytes
    beeps: bool
    """All hear a short tone."""
    role: PartyRole = PartyRole.CALLEE
    side: Leg | None = None
    """The only one that hears a whisperer."""
    told: Told = no_matter


class Retuned(NamedTuple):
    """An operator inside listens, whispers or talks from now on."""

    leg: Leg
    role: PartyRole
    side: Leg | None
    beeps: bool
    told: Told = no_matter


class TookOver(NamedTuple):
    """An operator inside talks in the place of a party, which is hung up on."""

    leg: Leg
    place: Leg
    told: Told = no_matter


class ToggleRecording(NamedTuple):
    """Somebody who is no party wants the call recorded, or no longer; the file, or ``None``, comes back."""

    by: str
    file: asyncio.Future[str | None]


class Served(NamedTuple):
    """A party is to go on in a service, and who was with it is done."""

    by: Leg
    route: ToService


class Manner(Enum):
    """What becomes of who sends the other party on."""

    STAYS = "stays"
    """Until somebody takes it."""
    LEAVES = "leaves"
    """At once."""
    ASKS = "asks"
    """Talks with whoever answers first, while the party waits."""


class SendOn(NamedTuple):
    """Somebody wants the call elsewhere: the other party of ``by``, or a call that rings."""

    by: Leg
    route: ToExtension | ToTrunks
    number: str
    manner: Manner = Manner.STAYS


class GoBack(NamedTuple):
    """Who asks back goes on with the caller, and whom it asked is done."""

    by: Leg


class Complete(NamedTuple):
    """Who asks back is done, and the two others talk."""

    by: Leg


class RingTimeout(NamedTuple):
    """Nobody answered within the site's ring timeout."""


class Listen(NamedTuple):
    """Look whether the audio that is announced comes, every few seconds before the answer."""


class AddressChanged(NamedTuple):
    """A party must be told another address of ours than before (NAT)."""

    session: Session


class Pressed(NamedTuple):
    """A party has pressed a key: 0-9, ``*``, ``#`` or A-D."""

    leg: Leg
    digit: str


class RecordingFailed(NamedTuple):
    """A recording of the call has ended by itself: the disk is full."""

    reason: str


class Owner(Protocol):
    """A service that owns a call, whatever the call's phase is meanwhile."""

    def wants_back(self, leg: Leg) -> bool:
        """Whether it goes on with the caller when ``leg`` has hung up."""
        ...

    async def take_back(self, leg: Leg) -> None:
        """``leg``, who talked with the caller, has hung up: go on."""
        ...

    async def let_go(self) -> None:
        """The call is over: clean up."""
        ...


class Phase(Protocol):
    """What a call is in the middle of; it takes the cues of the parties and of the office."""

    async def take(self, cue: Any) -> None: ...


class Call:
    """One call. Cues are taken one after the other, mostly at once; while one waits the next ones queue up."""

    def __init__(self, exchange: Exchange, call_id: CallId, dialled: str) -> None:
        self.exchange = exchange
        self.id = call_id
        self.dialled = dialled
        self.linked_id = call_id
        """The call that this one was joined with, else its own."""
        self.legs: list[Leg] = []
        """Who takes part, the caller first."""
        self.phase: Phase | None = None
        self.state = CallState.RINGING
        self.identity = Caller(None)
        """Who calls, as it may be told on."""
        self.diversions: tuple[Diversion, ...] = ()
        """Who sent the call on before, the first of them in front."""
        self.trunk_in: str | None = None
        self.trunk_out: str | None = None
        """The outside lines that the call came over and went out on."""
        self.trail: tuple[str, ...] = ()
        """The marks of the offices that sent the call on (``loops``)."""
        self.goes_outside = False
        """It is for an outside line, whichever takes it."""
        self.is_emergency = False
        """Nobody may end it, break into it or make it wait but its parties."""
        self.service: str | None = None
        """The name of the service that owns the call."""
        self.group: str | None = None
        """The group whose members are to take it."""
        self.home: str | None = None
        """The extension that gets it back, and from where it came back, while it waits there."""
        self.returned: str | None = None
        self.owner: Owner | None = None
        self.recorder: Any = None
        """The recording that runs (``recording``)."""
        self.recording: str | None = None
        """The file of the call's latest recording."""
        self.started_at = exchange.clock.wall()
        self.waits_since = self.started_at
        self.answered_at: datetime | None = None
        self.revision = 0
        self.timers: dict[str, list[object]] = {}
        self._cues: deque[Any] = deque()
        self._is_busy = False
        """A cue is being taken."""
        self._ending: Release | None = None
        self._view: CallView | None = None
        self._codec: str | None = None
        self._first: Leg | None = None
        """Who called, even after it has gone on in another call."""

    # -- running ------------------------------------------------------------------------------------------------

    def post(self, cue: Any) -> None:
        """Take a cue, now or in its turn; whatever comes after the end is dropped."""
        self._cues.append(cue)
        if not self._is_busy and self.phase is not None:
            self._is_busy = True
            self.exchange.crew.run(self._work(), "a call")

    def shift(self, jump: timedelta) -> None:
        """The wall clock was set: the call has lasted as long as before."""
        self.started_at += jump
        self.waits_since += jump
        if self.answered_at is not None:
            self.answered_at += jump
        self.touch()

    def set_ring_timeout(self, seconds: float) -> None:
        """Cue ``RingTimeout`` unless the call is answered or over by then."""
        self.exchange.agent.layer.book.set(self, "ring", seconds, self.exchange.clock.now())

    def clear_ring_timeout(self) -> None:
        self.exchange.agent.layer.book.clear(self, "ring")

    def on_timer(self, name: str, now: float) -> None:
        """From the endpoint's timer book."""
        self.post(RingTimeout())

    def start(self, first: Phase) -> None:
        """Begin with the phase ``first``; from now on the call is seen, released and waited for."""
        exchange = self.exchange
        exchange.calls[self.id] = self
        self.touch()
        self.phase = first
        exchange.bus.publish(CallStarted(self.started_at, self.id, self.caller.number, self.dialled))
        self.post(Begin())

    async def _work(self) -> None:
        """Take the cues that wait. What goes wrong inside ends this call and no other."""
        try:
            while self._ending is None and self._cues:
                cue = self._cues.popleft()
                if self.phase is not None and not _is_stale(cue):
                    await self.phase.take(cue)
                self.exchange.endpoint.flush()
        except Exception:
            log.exception("call %s (%s to %s) failed and is ended", self.id, self.caller.number, self.dialled)
            self.end(ReleasedBy.SYSTEM, "500 Internal Error")
        except BaseException:
            self.end(ReleasedBy.SYSTEM, "503 Engine Stopped")
            raise
        finally:
            if self._ending is not None:
                await self._finish(self._ending)
            self._is_busy = False

    def make_room(self) -> None:
        """End for an emergency call that needs the line."""
        log.warning("call %s makes room for an emergency call", self.id)
        self.post(Release(ReleasedBy.SYSTEM, "503 Made Room For An Emergency Call"))

    def end(self, released_by: ReleasedBy, cause: str, reason: str | None = None) -> None:
        """The call is over; the first cause counts. ``reason`` is the Reason value that others are told."""
        if self._ending is None:
            self._ending = Release(released_by, cause, reason)

    # -- legs ---------------------------------------------------------------------------------------------------

    @property
    def caller(self) -> Leg:
        if self.legs:
            return self.legs[0]
        assert self._first is not None
        return self._first

    def join(self, leg: Leg) -> None:
        self.legs.append(leg)
        if self._first is None:
            self._first = leg
        self.exchange.lamps.put(leg)

    async def part(self, leg: Leg) -> None:
        """The leg leaves; its session is whoever's who called this."""
        self.legs.remove(leg)
        leg.let_go()
        self.exchange.lamps.remove(leg)
        self.exchange.forget(leg)
        await leg.close_media()
        self.touch()

    def hand_over(self, leg: Leg, other: Call) -> None:
        """The leg goes on in another call, with its session, its media and its room on a line."""
        self.legs.remove(leg)
        self.exchange.lamps.remove(leg)
        leg.call_id, leg.post = other.id, other.post
        other.join(leg)
        self.touch()

    # -- what others see ----------------------------------------------------------------------------------------

    def enter(self, state: CallState) -> None:
        """Show another state (or other parties) to lamps, consoles and watchers."""
        self._note_waiting(self.state, state)
        self.state = state
        if state is CallState.TALKING and self.answered_at is None:
            self.answered_at = self.exchange.clock.wall()
        for leg in self.legs:
            self.exchange.lamps.put(leg)
        self._codec = self.caller.codec or self._codec
        self.touch()
        self.exchange.bus.publish(CallChanged(self.exchange.clock.wall(), self.id, state))

    def _note_waiting(self, before: CallState, now: CallState) -> None:
        """Whoever talks waits for nobody; who is alone again waits since then."""
        if now in _WITH_SOMEBODY:
            self.group = self.home = self.returned = None
        elif before in _WITH_SOMEBODY or before is CallState.PARKED:
            self.waits_since = self.exchange.clock.wall()

    def waits_for(self) -> tuple[str, ...]:
        """The extensions of which one is to take the caller, each once."""
        if self.state in _WITH_SOMEBODY or self.state is CallState.PARKED:
            return ()
        found: list[str] = []
        for leg in self.legs[1:]:
            is_ringing = leg.role is PartyRole.CALLEE and leg.state in (PartyState.RINGING, PartyState.EARLY)
            if is_ringing and leg.extension is not None:
                found.append(leg.extension.number)
        if self.home is not None:
            found.append(self.home)
        group = self.exchange.configuration.groups.get(self.group) if self.group is not None else None
        if group is not None:
            found += group.members
        return tuple(dict.fromkeys(found))

    def touch(self) -> None:
        """Something of the view has changed."""
        self.revision += 1
        self.exchange.revision += 1
        self._view = None

    def view(self) -> CallView:
        """The call as faces see it; the same object until something changes."""
        if self._view is None:
            caller = self.caller
            callee = self.legs[1] if len(self.legs) > 1 else None
            self._view = CallView(
                id=self.id,
                state=self.state,
                caller=caller.number,
                callee=self.dialled,
                caller_name=caller.name,
                callee_name=callee.name if callee else None,
                started_at=self.started_at,
                answered_at=self.answered_at,
                parties=tuple(leg.view() for leg in self.legs),
                quality=self.quality(),
                trunk_in=self.trunk_in,
                trunk_out=self.trunk_out,
                service=self.service,
                recording=self.recording,
                revision=self.revision,
                waits_for=self.waits_for(),
                waits_since=self.waits_since,
                group=self.group,
                returned=self.returned,
                is_emergency=self.is_emergency,
            )
        return self._view

    def quality(self) -> QualityView | None:
        """The worst of what the parties send."""
        heard = [leg.quality for leg in self.legs if leg.quality is not None]
        if not heard:
            return None
        return QualityView(
            mos=min(item.mos for item in heard),
            loss_percent=max(item.loss_percent for item in heard),
            jitter_ms=max(item.jitter_ms for item in heard),
        )

    def readdress(self) -> None:
        """Our address as peers outside see it has changed: a party that talks gets a re-INVITE that says so."""
        for leg in [*self.legs]:
            if leg.readdress(self.exchange) and self.answered_at is not None:
                self.post(AddressChanged(leg.dialogue))

    async def measure(self) -> None:
        """Look at the quality of every answered leg; ask a phone that is silent for long whether it is there."""
        if self.answered_at is None:
            if self.state is CallState.EARLY:
                self.post(Listen())
            return
        limit, now = self.exchange.configuration.params["silent_party_s"], self.exchange.clock.now()
        for leg in [*self.legs]:
            if not leg.has_media:
                continue  # it has none yet, or the call ended while another was asked
            before, was_silent = leg.quality, leg.is_silent
            await leg.measure()
            if leg.quality != before:
                self._view = None
                self.exchange.revision += 1
            if leg.is_silent and not was_silent:
                log.warning("call %s: nothing is heard from %s any more", self.id, leg.number)
            if leg.is_overdue(limit, now):
                log.info("call %s: %s sends nothing; its phone is asked whether it is there", self.id, leg.number)
                leg.dialogue.probe(now)
                self.exchange.endpoint.flush()

    # -- the end ------------------------------------------------------------------------------------------------

    async def _finish(self, ending: Release) -> None:
        """End every session, free every port, write the record: after this nothing of the call is left."""
        exchange = self.exchange
        exchange.agent.layer.book.clear_all(self)
        for leg in self.legs:
            self._end_session(leg, ending)
        exchange.endpoint.flush()
        del exchange.calls[self.id]
        exchange.rooms.forget(self)
        for leg in self.legs:
            leg.let_go()
            exchange.lamps.remove(leg)
        if self.recorder is not None:
            await self._end_recording()
        for leg in self.legs:
            await self._close_media(leg)
        exchange.note_numbers(self.legs, self.dialled, self.id)
        quality = self.quality()
        exchange.revision += 1
        record = CallRecord(
            id=self.id,
            linked_id=self.linked_id,
            caller=self.caller.number,
            callee=self.dialled,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=exchange.clock.wall(),
            released_by=ending.released_by,
            cause=ending.cause,
            trunk_in=self.trunk_in,
            trunk_out=self.trunk_out,
            codec=self._codec,
            mos=quality.mos if quality and self.answered_at else None,
            recording=self.recording,
        )
        _log_end(record)
        exchange.ended.append(record)
        exchange.trace.close(record)
        exchange.record(record)
        exchange.note_end(record, tuple(leg.extension.number for leg in self.legs if leg.extension is not None))
        exchange.bus.publish(CallEnded(record.ended_at, self.id, record))
        self.phase = None
        owner, self.owner = self.owner, None
        if owner is not None:
            await owner.let_go()
        self.legs.clear()
        self._first = None
        for cue in self._cues:
            told: Told = getattr(cue, "told", no_matter)
            told("481 Call Ended")
        self._cues.clear()
        exchange.note_call_over()

    def _end_session(self, leg: Leg, ending: Release) -> None:
        """What the other party gave as its reason is told on; a carrier hears at least its network's cause."""
        reason = ending.reason
        if reason is None and leg.trunk is not None:
            reason = q850_reason(ending.cause)
        try:
            if leg.session is not None:
                leg.session.end(self.exchange.clock.now(), 480, reason=reason)
        except FrontdeskError:
            log.exception("call %s: the session of %s could not be ended", self.id, leg.number)

    async def _end_recording(self) -> None:
        recorder, self.recorder = self.recorder, None
        try:
            await self.exchange.gateway.stop_recording(recorder.id)
        except Exception:  # as below
            log.exception("call %s: the gateway could not end the recording", self.id)

    async def _close_media(self, leg: Leg) -> None:
        self.exchange.forget(leg)
        try:
            await leg.close_media()
        except Exception:  # whatever a gateway fails with, the others must be closed and the record written
            log.exception("call %s: the gateway could not close the leg of %s", self.id, leg.number)


def _is_stale(cue: Any) -> bool:
    """Whether the cue waited too long: its leg has left the call meanwhile."""
    session = getattr(cue, "session", None)
    return session is not None and session.user is None


def _log_end(record: CallRecord) -> None:
    """One line a call: what the engineer at night looks for."""
    log.info(
        "call %s from %s to %s ended after %.0f s: %s, released by %s",
        record.id,
        record.caller,
        shown(record.callee),
        record.duration_s,
        record.cause,
        record.released_by.value,
    )
