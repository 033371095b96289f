"""A call's SIP messages and media figures as faces see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.core.ids import CallId
from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy

Address = tuple[str, int]
"""Host (IP literal without brackets) and port."""


@dataclass(frozen=True, slots=True)
class StreamView:
    """One direction of a leg's audio; ``mos`` is 1.0 to 4.5 (ITU-T G.107), and says nothing without packets."""

    packets: int
    lost: int
    loss_percent: float
    jitter_ms: float
    mos: float


@dataclass(frozen=True, slots=True)
class MediaView:
    """What the gateway measured on one leg."""

    received: StreamView
    """From the party, measured here."""
    sent: StreamView
    """To the party: counted here, loss and jitter as its RTCP tells them."""
    remote: Address | None
    """Where the party's RTP really comes from; ``None`` before the first packet."""
    round_trip_ms: float | None
    strangers: int
    """Packets dropped because they came from somewhere else."""


@dataclass(frozen=True, slots=True)
class LadderLeg:
    """One SIP dialog of a call: the caller's, or that of one phone that was rung."""

    number: str
    name: str | None
    role: PartyRole
    state: PartyState
    transport: str
    """``UDP``, ``TCP``, ``TLS`` …"""
    remote: Address
    """Where the party's SIP comes from."""
    codec: str | None
    media: MediaView | None
    """``None`` where no audio was set up."""


@dataclass(frozen=True, slots=True)
class LadderMessage:
    """One SIP message as it crossed the wire; digests and keys in it are blackened unless asked for."""

    number: int
    """Its place in the call, from 0."""
    at: datetime
    leg: int
    """Which of the ladder's legs it belongs to."""
    is_sent: bool
    """Whether it left from here."""
    transport: str
    local: Address
    remote: Address
    data: bytes
    title: str
    """``INVITE``, or ``200 OK``."""
    method: str
    """The method, for a response that of its CSeq."""
    has_sdp: bool
    has_credentials: bool
    """Whether it answers a challenge."""
    is_resent: bool
    """Whether the same bytes crossed in the same direction before."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A live or recently ended call and one page of its messages, oldest first."""

    call: CallId
    caller: str
    callee: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    """``None`` while the call lives; then the three below say how it ended."""
    state: CallState | None
    released_by: ReleasedBy | None
    cause: str | None
    revision: int
    """The live call's, for a command that acts on it; 0 after its end."""
    legs: tuple[LadderLeg, ...]
    messages: tuple[LadderMessage, ...]
    total: int
    """How many messages the call has had; pages are asked for up to here."""
    left_out: int
    """Messages at the beginning that are no longer kept, because a very long call outgrew its room."""

    def duration_s(self, at: datetime) -> float:
        """Seconds since the answer, before it since the start; up to the end of an ended call."""
        return max(0.0, ((self.ended_at or at) - (self.answered_at or self.started_at)).total_seconds())
