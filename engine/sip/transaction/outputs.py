"""What the transaction layer tells the transport and its user, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.sip.flow import Flow
from engine.sip.message import Request, Response

if TYPE_CHECKING:
    from engine.sip.transaction.client import ClientTransaction
    from engine.sip.transaction.server import ServerTransaction


class Send(NamedTuple):
    """Put these bytes on the wire."""

    flow: Flow
    data: bytes


class RequestArrived(NamedTuple):
    """A new request (never an ACK, never a retransmission); answer it through its transaction."""

    transaction: ServerTransaction
    request: Request
    flow: Flow


class CancelArrived(NamedTuple):
    """A CANCEL; ``invite`` is what it means, ``None`` when nothing matches (answer 481)."""

    transaction: ServerTransaction
    request: Request
    invite: ServerTransaction | None


class AckArrived(NamedTuple):
    """The ACK of a 2xx, or one that matches nothing."""

    request: Request
    flow: Flow


class ResponseArrived(NamedTuple):
    """A response to a request of ours, retransmissions taken out (a 2xx to INVITE is always passed on)."""

    transaction: ClientTransaction
    response: Response


class RequestFailed(NamedTuple):
    """No final response came: ``status`` 408 after the time limit, 503 when the transport failed."""

    transaction: ClientTransaction
    status: int


class ResponseFailed(NamedTuple):
    """A final response to INVITE was never acknowledged, or could not be sent."""

    transaction: ServerTransaction


Output = Send | RequestArrived | CancelArrived | AckArrived | ResponseArrived | RequestFailed | ResponseFailed
