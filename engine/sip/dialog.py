"""A dialog: the peer-to-peer relationship that in-dialog requests belong to (RFC 3261 section 12)."""

from __future__ import annotations

from functools import lru_cache

from engine.core.errors import RemoteError
from engine.sip.flow import Flow
from engine.sip.headers import Headers, tag_of
from engine.sip.message import Request, Response
from engine.sip.transaction.key import MAGIC_COOKIE
from engine.sip.uri import NameAddress, SipUri, check_address


class Dialog:
    """One dialog seen from our side; sequence numbers and the remote target change, the rest does not."""

    __slots__ = (
        "call_id", "flow", "local_address", "local_seq", "local_tag", "remote_address", "remote_seq",
        "remote_tag", "remote_target", "route_set",
    )  # fmt: skip

    def __init__(
        self,
        *,
        call_id: str,
        local_address: str,
        local_tag: str,
        remote_address: str,
        remote_tag: str | None,
        remote_target: str,
        route_set: tuple[str, ...],
        local_seq: int,
        remote_seq: int | None,
        flow: Flow,
    ) -> None:
        self.call_id = call_id
        self.local_address = local_address
        """Our From value, tag included."""
        self.local_tag = local_tag
        self.remote_address = remote_address
        """The peer's To value, tag included when it has one."""
        self.remote_tag = remote_tag
        self.remote_target = remote_target
        self.route_set = route_set
        self.local_seq = local_seq
        self.remote_seq = remote_seq
        self.flow = flow

    def make_request(self, method: str) -> Request:
        """The next request in this dialog, without Via (section 12.2.1.1); an ACK takes its INVITE's number."""
        if method != "ACK":
            self.local_seq += 1
        uri, routes = route_request(self.remote_target, self.route_set)
        headers = Headers([
            *[("Route", route) for route in routes],
            ("Max-Forwards", "70"),
            ("From", self.local_address),
            ("To", self.remote_address),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.local_seq} {method}"),
        ])  # fmt: skip
        return Request(method, uri, headers)

    def accept_sequence(self, request: Request) -> None:
        """Raise ``RemoteError(500)`` for a request out of order (section 12.2.2)."""
        number = request.cseq.number
        if self.remote_seq is not None and number < self.remote_seq:
            raise RemoteError(500, "CSeq Out Of Order")
        self.remote_seq = number

    def refresh_target(self, message: Request | Response) -> None:
        """Take the Contact of a target-refresh request or its 2xx (section 12.2)."""
        contact = contact_of(message)
        if contact is not None:
            self.remote_target = contact


def uas_dialog(invite: Request, local_tag: str, flow: Flow) -> Dialog:
    """The dialog that our answer to ``invite`` makes (section 12.1.1); raises ``RemoteError(400)``.

    A peer of RFC 2543, which shows in its Via, need not say where it is reached: then From does.
    """
    target = contact_of(invite)
    if target is None:
        if (invite.via.branch or "").startswith(MAGIC_COOKIE):
            raise RemoteError(400, "Missing Contact")
        target = str(NameAddress.parse(invite.headers.get("From") or "").uri)
    to = invite.headers.get("To") or ""
    return Dialog(
        call_id=invite.call_id,
        local_address=f"{to};tag={local_tag}",
        local_tag=local_tag,
        remote_address=invite.headers.get("From") or "",
        remote_tag=invite.from_tag,
        remote_target=target,
        route_set=_recorded_routes(invite),
        local_seq=0,
        remote_seq=invite.cseq.number,
        flow=flow,
    )


def uac_dialog(invite: Request, response: Response, flow: Flow, *, is_usable: bool = True) -> Dialog:
    """The dialog that a response with a To tag makes for our ``invite`` (12.1.2); raises ``RemoteError(400)``.

    With ``is_usable`` false its Contact and Record-Route are not read: for saying ACK and BYE to whoever sent
    something broken there.
    """
    to = response.headers.get("To") or ""
    return Dialog(
        call_id=invite.call_id,
        local_address=invite.headers.get("From") or "",
        local_tag=invite.from_tag or "",
        remote_address=to,
        remote_tag=tag_of(to),
        remote_target=(contact_of(response) if is_usable else None) or invite.uri,
        route_set=_recorded_routes(response)[::-1] if is_usable else (),
        local_seq=invite.cseq.number,
        remote_seq=None,
        flow=flow,
    )


def _recorded_routes(message: Request | Response) -> tuple[str, ...]:
    """The Record-Route values in order; raises ``RemoteError(400)`` here rather than when a request must go out."""
    routes = message.headers.list_of("Record-Route")
    for route in routes:
        check_address(route)
    return tuple(routes)


def contact_of(message: Request | Response) -> str | None:
    """The URI of the first Contact, or ``None`` without one; raises ``RemoteError(400)`` when it is no URI."""
    value = message.headers.get("Contact")
    if value is None or value.strip() == "*":
        return None
    first = next(iter(message.headers.list_of("Contact")), "") if "," in value else value
    return _remembered_target(first) if len(first) <= _LONGEST_REMEMBERED else _target_of(first)


def _target_of(contact: str) -> str:
    return str(NameAddress.parse(contact).uri)


_LONGEST_REMEMBERED = 200
"""Characters; keeps what strangers can fill the cache with below a few megabytes."""
_remembered_target = lru_cache(maxsize=4096)(_target_of)


def route_request(target: str, route_set: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Request-URI and Route values, strict routers included (section 12.2.1.1)."""
    if not route_set:
        return target, ()
    first = NameAddress.parse(route_set[0]).uri
    if isinstance(first, SipUri) and any(name == "lr" for name, _ in first.params):
        return target, route_set
    return str(first), (*route_set[1:], f"<{target}>")
