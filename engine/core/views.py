"""Immutable pictures of the live office: what consoles, the command line and the API may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.core.ids import CallId


class CallState(StrEnum):
    """Where a call stands (``frontdesk calls``: ``state``)."""

    RINGING = "ringing"
    EARLY = "early"
    TALKING = "talking"
    HELD = "held"
    PARKED = "parked"
    QUEUED = "queued"
    SERVICE = "service"
    CONFERENCE = "conference"


class Lamp(StrEnum):
    """What a lamp (BLF) shows of an extension."""

    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"
    HELD = "held"
    DND = "dnd"
    UNREGISTERED = "unregistered"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class LampAudit:
    """What the lamp auditor found on its round."""

    lamps: int
    """Lamps that were compared with the calls there are."""
    subscriptions: int
    """Subscriptions of phones whose last word was compared with how things stand."""
    repaired: tuple[str, ...]
    """What differed and was mended, in words."""
    repaired_since_start: int = 0


class PartyRole(StrEnum):
    """What a party does in a call."""

    CALLER = "caller"
    CALLEE = "callee"
    OPERATOR = "operator"
    LISTENER = "listener"
    WHISPERER = "whisperer"


class PartyState(StrEnum):
    """Where one leg stands."""

    RINGING = "ringing"
    EARLY = "early"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QualityView:
    """The worse direction of a call's audio; ``mos`` is 1.0 to 4.5 (ITU-T G.107)."""

    mos: float
    loss_percent: float
    jitter_ms: float


@dataclass(frozen=True, slots=True)
class PartyView:
    """One party (leg) of a call; ``extension`` is ``None`` for an outside party."""

    extension: str | None
    role: PartyRole
    codec: str | None
    state: PartyState
    quality: QualityView | None = None


@dataclass(frozen=True, slots=True)
class CallView:
    """One live call."""

    id: CallId
    state: CallState
    caller: str
    callee: str
    caller_name: str | None
    callee_name: str | None
    started_at: datetime
    answered_at: datetime | None
    parties: tuple[PartyView, ...]
    quality: QualityView | None = None
    trunk_in: str | None = None
    trunk_out: str | None = None
    service: str | None = None
    recording: str | None = None
    revision: int = 0
    """Rises with every change of this call; a command may carry it to be refused when the call has moved on."""
    waits_for: tuple[str, ...] = ()
    """The extensions of which one is to take the caller: those that ring, a group's members, who gets it back."""
    waits_since: datetime | None = None
    """Since when the caller waits for somebody."""
    group: str | None = None
    """The group that the caller waits for."""
    returned: str | None = None
    """From where the caller came back: the number it was transferred to, or its park slot such as ``P3``."""
    is_emergency: bool = False

    def duration_s(self, at: datetime) -> float:
        """Seconds since the answer; before it, since the start."""
        return max(0.0, (at - (self.answered_at or self.started_at)).total_seconds())


@dataclass(frozen=True, slots=True)
class PersonView:
    """One extension as the lamp panel shows it."""

    number: str
    name: str | None
    lamp: Lamp
    since: datetime | None
    """When the lamp took this state; ``None`` when it has not changed since the engine started."""
    call: CallId | None = None
    devices: int = 0
    """Registered phones."""
    multi_device: bool = False
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """One registered phone of an extension."""

    extension: str
    contact: str
    device: str | None
    """The phone's ``+sip.instance`` when it gives one."""
    source: str
    transport: str
    expires_at: datetime
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class ParkView:
    """An occupied park slot."""

    slot: str
    call: CallId
    number: str
    """Who waits there."""
    name: str | None
    since: datetime
    returns_at: datetime
    """When the caller goes back to who parked it."""
    by: str | None


class TrunkState(StrEnum):
    """Where an outside line stands (``frontdesk trunk list``: ``state``)."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    TRYING = "trying"
    FAILED = "failed"
    STATIC = "static"
    """Needs no registration, and nothing speaks against it."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class TrunkView:
    """One outside line."""

    name: str
    state: TrunkState
    active_in: int = 0
    active_out: int = 0
    max_in: int | None = None
    max_out: int | None = None
    """``None`` is unlimited, 0 forbids the direction."""
    refused_in: int = 0
    """Calls refused for a limit since the start."""
    refused_out: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None
    state_since: datetime | None = None
    server: str | None = None
    """The address that serves us now, ``host:port``."""
    refusals: tuple[tuple[str, int], ...] = ()
    """Why calls were refused and how many, the most frequent first."""
    history: tuple[tuple[int, int], ...] = ()
    """The most calls in and out at once of each of the last minutes, the oldest first."""


@dataclass(frozen=True, slots=True)
class ListenerView:
    """An open door of the engine: ``kind`` is udp, tcp, tls, ssh, http or control; ``address`` is host:port."""

    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class CertificateView:
    """The certificate that TLS shows."""

    subject: str
    expires_at: datetime
    fingerprint: str
    """SHA-256, in pairs of hex digits: what some phones show to be compared."""
    certificate: str
    key: str
    """Where the two files are."""
    is_own: bool
    """Whether the office made it itself."""


@dataclass(frozen=True, slots=True)
class HealthView:
    """How the engine itself fares."""

    version: str
    pid: int
    started_at: datetime
    media_backend: str
    media_sessions: int
    listeners: tuple[ListenerView, ...]
    loop_delay_p99_ms: float
    loop_delay_max_ms: float
    warnings: tuple[str, ...] = ()
    """What needs a hand now, in the office's words (a full disk, a port that is taken …)."""
    media_is_real_time: bool = False
    """Audio goes before everything else on this machine: its thread runs under SCHED_RR."""
    uptime_s: float = 0.0
    garbage: int = 0
    """Datagrams that were no SIP, since the start."""
    loop_history: tuple[float, ...] = ()
    """The worst lateness of the loop in each of the last minutes, ms, the oldest first."""
    lamps_repaired: int = 0
    """Faults that the lamp auditor has mended since the start."""
    gc: Mapping[str, float] = field(default_factory=dict)
    """Garbage-collector pauses since the start: ``count``, ``max_ms``, ``total_ms``."""
    advertised: tuple[str, ...] = ()
    """The addresses that peers outside are told instead of ours; none without a NAT."""


class ReleasedBy(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    SYSTEM = "system"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A finished call (CDR), as stored and listed by ``frontdesk records``."""

    id: CallId
    linked_id: CallId
    caller: str
    callee: str
    started_at: datetime
    ended_at: datetime
    released_by: ReleasedBy
    cause: str
    """Why it ended: the SIP status and its reason, such as ``486 Busy Here``, or ``normal``."""
    answered_at: datetime | None = None
    trunk_in: str | None = None
    trunk_out: str | None = None
    codec: str | None = None
    mos: float | None = None
    recording: str | None = None

    @property
    def duration_s(self) -> float:
        """Seconds of conversation; 0 for a call that was never answered."""
        return (self.ended_at - self.answered_at).total_seconds() if self.answered_at else 0.0


@dataclass(frozen=True, slots=True)
class OfficeView:
    """The whole live office at one moment; swapped atomically, ``revision`` rises with every change."""

    revision: int
    at: datetime
    office_name: str
    health: HealthView
    calls: tuple[CallView, ...] = ()
    ended: tuple[CallRecord, ...] = ()
    """The calls that ended in the last seconds, and why."""
    people: tuple[PersonView, ...] = ()
    registrations: tuple[RegistrationView, ...] = ()
    trunks: tuple[TrunkView, ...] = ()
    lamps: dict[str, Lamp] = field(default_factory=dict)
    parked: tuple[ParkView, ...] = ()
    """The occupied park slots, in their order."""
    camps: tuple[tuple[str, str], ...] = ()
    """Who is rung as soon as somebody else is free: both extensions."""
    night: str = "auto"
    """The night switch: on, off or auto."""
