"""The trace: every SIP message as it crossed the wire, kept by call within a fixed number of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.ids import CallId
from engine.core.views import CallRecord, PartyRole, PartyState
from engine.media.gateway import LegStatistics
from engine.net.endpoint import Crossing
from engine.sip.flow import Flow

_BATCH = 32
"""Messages are sorted by call so many at a time: few enough to be in the processor's cache still."""
_MESSAGE_COST, _THREAD_COST, _CALL_COST = 250, 500, 1500
"""Bytes that Python takes beside each message itself, for each Call-ID and for what is known of a call."""
_UNCLAIMED_SHARE = 8
"""One part in so many is for messages of no call (yet): registrations, strangers, INVITEs before their login."""


@dataclass(slots=True)
class TracedLeg:
    """What stays known of a leg when the leg has gone."""

    number: str
    name: str | None
    role: PartyRole
    flow: Flow
    sip_id: bytes
    """The Call-ID of its dialog."""
    state: PartyState = PartyState.RINGING
    codec: str | None = None
    statistics: LegStatistics | None = None
    """The final figures of its audio."""


@dataclass(slots=True)
class _Thread:
    """The messages of one Call-ID; ``places`` says where each stood among all that crossed."""

    crossings: list[Crossing] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    bytes: int = _THREAD_COST
    claims: int = 0


@dataclass(slots=True)
class TracedCall:
    """The legs of a call and, once it has ended, its record."""

    id: CallId
    legs: list[TracedLeg] = field(default_factory=list)
    record: CallRecord | None = None
    left_out: int = 0
    """Messages that had to go while the call lived."""
    skew: float | None = None
    """Turns the times of its messages into the time of day: settled by the first look, so that none ever moves."""


class Trace:
    """Keeps what crossed the wire until ``budget`` bytes are used: then ended calls go as a whole, oldest first.

    Lives on the engine's loop. A message belongs to a call by its Call-ID, which each leg claims.
    """

    def __init__(self, budget: int = 0) -> None:
        self.budget = budget
        self._fresh: list[Crossing] = []
        self._sorted = 0
        self._claimed: dict[bytes, _Thread] = {}
        self._unclaimed: dict[bytes, _Thread] = {}
        self._live: dict[CallId, TracedCall] = {}
        self._ended: dict[CallId, TracedCall] = {}
        self._claimed_bytes = 0
        self._unclaimed_bytes = 0

    def note(self, crossing: Crossing) -> None:
        """One message has crossed the wire."""
        fresh = self._fresh
        fresh.append(crossing)
        if len(fresh) >= _BATCH:
            self._sort()

    def claim(self, call: CallId, leg: TracedLeg) -> None:
        """Whatever carries the leg's Call-ID belongs to ``call``."""
        traced = self._live.get(call)
        if traced is None:
            self._ended.pop(call, None)
            traced = self._live[call] = TracedCall(call)
            self._claimed_bytes += _CALL_COST
        traced.legs.append(leg)
        thread = self._claimed.get(leg.sip_id)
        if thread is None:
            thread = self._unclaimed.pop(leg.sip_id, None)
            if thread is None:
                thread = _Thread()
            else:
                self._unclaimed_bytes -= thread.bytes
            self._claimed[leg.sip_id] = thread
            self._claimed_bytes += thread.bytes
        thread.claims += 1

    def close(self, record: CallRecord) -> None:
        """The call has ended: from now on it may go to make room."""
        traced = self._live.pop(record.id, None)
        if traced is not None:
            traced.record = record
            self._ended[record.id] = traced

    def find(self, call: CallId) -> TracedCall | None:
        """What is known of a live or recent call."""
        self._sort()
        return self._live.get(call) or self._ended.get(call)

    def latest_of(self, number: str) -> TracedCall | None:
        """The call with a leg of ``number`` that ended last."""
        for traced in reversed(self._ended.values()):
            if any(leg.number == number for leg in traced.legs):
                return traced
        return None

    def crossings(self, traced: TracedCall) -> list[tuple[int, Crossing]]:
        """The call's messages in the order in which they crossed, each with the place of its leg."""
        found: list[tuple[int, int, Crossing]] = []
        for sip_id, place in {leg.sip_id: place for place, leg in reversed([*enumerate(traced.legs)])}.items():
            thread = self._claimed.get(sip_id)
            if thread is not None:
                found += [
                    (at, place, crossing) for at, crossing in zip(thread.places, thread.crossings, strict=True)
                ]
        found.sort(key=lambda item: item[0])
        return [(place, crossing) for _, place, crossing in found]

    @property
    def size(self) -> int:
        """What is kept, about."""
        return self._claimed_bytes + self._unclaimed_bytes

    def _sort(self) -> None:
        """Give each fresh message to the thread of its Call-ID, then make room."""
        fresh, self._fresh = self._fresh, []
        if not self.budget:
            fresh = []
        claimed, place, claimed_bytes = self._claimed, self._sorted, 0
        for crossing in fresh:
            data = crossing[3]
            sip_id = call_id_of(data)
            size = len(data) + _MESSAGE_COST
            thread = claimed.get(sip_id)
            if thread is not None:
                claimed_bytes += size
            else:
                thread = self._unclaimed_thread(sip_id)
                self._unclaimed_bytes += size
            thread.crossings.append(crossing)
            thread.places.append(place)
            thread.bytes += size
            place += 1
        self._sorted = place
        self._claimed_bytes += claimed_bytes
        self._make_room()

    def _unclaimed_thread(self, sip_id: bytes) -> _Thread:
        thread = self._unclaimed.get(sip_id)
        if thread is None:
            thread = self._unclaimed[sip_id] = _Thread()
            self._unclaimed_bytes += _THREAD_COST
        return thread

    def _make_room(self) -> None:
        most = self.budget // _UNCLAIMED_SHARE
        while self._unclaimed and self._unclaimed_bytes > most:
            oldest = self._unclaimed.pop(next(iter(self._unclaimed)))
            self._unclaimed_bytes -= oldest.bytes
        room = self.budget - most
        while self._ended and self._claimed_bytes > room:
            self._forget(self._ended.pop(next(iter(self._ended))))
        before = -1
        while self._claimed_bytes > room and self._claimed_bytes != before:
            before = self._claimed_bytes
            self._shorten_live(room)

    def _forget(self, traced: TracedCall) -> None:
        self._claimed_bytes -= _CALL_COST
        for leg in traced.legs:
            thread = self._claimed.get(leg.sip_id)
            if thread is None:
                continue
            thread.claims -= 1
            if not thread.claims:
                del self._claimed[leg.sip_id]
                self._claimed_bytes -= thread.bytes

    def _shorten_live(self, room: int) -> None:
        """Live calls alone are more than there is room for: each in its turn loses half of its messages."""
        for call in [*self._live]:
            traced = self._live[call] = self._live.pop(call)
            self._shorten(traced)
            if self._claimed_bytes <= room:
                return

    def _shorten(self, traced: TracedCall) -> None:
        """Drop the older half of a call's messages."""
        for sip_id in {leg.sip_id for leg in traced.legs}:
            thread = self._claimed[sip_id]
            half = -(-len(thread.crossings) // 2)
            dropped = sum(len(crossing[3]) + _MESSAGE_COST for crossing in thread.crossings[:half])
            del thread.crossings[:half], thread.places[:half]
            thread.bytes -= dropped
            self._claimed_bytes -= dropped
            traced.left_out += half


def call_id_of(data: bytes) -> bytes:
    """The value of Call-ID, empty when there is none (RFC 3261 section 20.8)."""
    start = data.find(b"\nCall-ID: ") + 10
    if start < 10:
        return _unusual_call_id(data)
    return data[start : data.find(b"\n", start)].strip()


def _unusual_call_id(data: bytes) -> bytes:
    """Other letters, the compact form, or blanks before the colon (section 7.3)."""
    for line in data.split(b"\n"):
        if not line.strip():
            break
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"call-id", b"i"):
            return value.strip()
    return b""
