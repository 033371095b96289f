"""What a session tells its user, in order with everything that is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.sip.message import Response
from engine.sip.transaction.server import ServerTransaction
from engine.sip.uri import NameAddress

if TYPE_CHECKING:
    from engine.sip.session.session import Session


class Progress(NamedTuple):
    """A provisional response other than 100; ``sdp`` is empty unless early media is announced.

    ``tag`` names the early dialog that it came in: one INVITE may have several (RFC 3261 section 12.1).
    """

    session: Session
    status: int
    sdp: bytes
    tag: str | None = None


class Answered(NamedTuple):
    """Our INVITE got its first 2xx; with a late offer the user owes ``acknowledge(answer)``."""

    session: Session
    sdp: bytes
    response: Response


class Failed(NamedTuple):
    """Our INVITE got a final failure, no answer at all (408), or was cancelled (487)."""

    session: Session
    status: int
    reason: str
    response: Response | None


class Acknowledged(NamedTuple):
    """The peer's ACK arrived; ``sdp`` is the answer when ours was the offer."""

    session: Session
    sdp: bytes


class EarlyAcknowledged(NamedTuple):
    """The PRACK of a reliable response that carried our offer (RFC 3262 section 5); ``sdp`` is the answer."""

    session: Session
    sdp: bytes


class EarlyOffered(NamedTuple):
    """An offer in PRACK or UPDATE: answer or refuse it at once (RFC 3262 section 5, RFC 3311 section 5.2)."""

    session: Session
    transaction: ServerTransaction
    sdp: bytes


class Cancelled(NamedTuple):
    """The caller gave up before the answer; 487 has been sent. ``reason`` is its Reason value (RFC 3326)."""

    session: Session
    reason: str | None


class Reoffered(NamedTuple):
    """A re-INVITE arrived: accept or refuse it. ``sdp`` is empty when the peer wants us to offer."""

    session: Session
    transaction: ServerTransaction
    sdp: bytes


class ReofferAnswered(NamedTuple):
    """Our re-INVITE was accepted."""

    session: Session
    sdp: bytes


class ReofferRefused(NamedTuple):
    """Our re-INVITE failed; the session goes on as it was (RFC 3261 section 14.1)."""

    session: Session
    status: int


class ReofferDelayed(NamedTuple):
    """Our re-INVITE met one of the peer (491): its offer is void, and ``ReofferDue`` follows (section 14.1)."""

    session: Session


class Referred(NamedTuple):
    """The peer asks us to call somebody else (RFC 3515): accept or refuse it."""

    session: Session
    transaction: ServerTransaction
    target: NameAddress


class DigitHeard(NamedTuple):
    """The peer says by INFO that a key was pressed: ``0-9*#A-D``."""

    session: Session
    key: str
    duration_ms: int


class RefreshDue(NamedTuple):
    """The session is to be refreshed by a re-INVITE that changes nothing (RFC 4028 section 7.4)."""

    session: Session


class ReofferDue(NamedTuple):
    """It is our turn after a glare: make the offer anew, for the peer's may have changed what stands."""

    session: Session


class Ended(NamedTuple):
    """The session is over by the peer's BYE, or because it stopped answering (``status`` 408, 481 or 503)."""

    session: Session
    by_peer: bool
    status: int
    reason: str | None


class Ordered(NamedTuple):
    """The peer asks us to act as if our user did: ``talk`` answers or resumes, ``hold`` holds."""

    session: Session
    order: str


SessionEvent = (
    Progress
    | Answered
    | Failed
    | Acknowledged
    | EarlyAcknowledged
    | EarlyOffered
    | Cancelled
    | Reoffered
    | ReofferAnswered
    | ReofferRefused
    | ReofferDelayed
    | ReofferDue
    | RefreshDue
    | Referred
    | DigitHeard
    | Ordered
    | Ended
)
