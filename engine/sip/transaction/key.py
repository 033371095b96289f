"""How a message finds its transaction (RFC 3261 sections 17.1.3 and 17.2.3)."""

from __future__ import annotations

from engine.sip.message import Request, Response

MAGIC_COOKIE = "z9hG4bK"

Key = tuple[str, ...]


def server_key(request: Request) -> Key:
    """The key of a request's server transaction; an ACK has the key of its INVITE."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.branch
    if branch and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return (branch, via.sent_by, method)
    return _key_of_rfc2543(request, method)


def invite_key_of_cancel(request: Request) -> Key:
    """The key of the INVITE that this CANCEL means (RFC 3261 section 9.2)."""
    via = request.via
    branch = via.branch
    if branch and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE):
        return (branch, via.sent_by, "INVITE")
    return _key_of_rfc2543(request, "INVITE")


def client_key(response: Response) -> Key:
    """The key of the client transaction that a response answers."""
    return (response.via.branch or "", response.cseq.method)


def _key_of_rfc2543(request: Request, method: str) -> Key:
    # The To tag is left out: the ACK of a 2543 client carries one that its INVITE did not.
    cseq = str(request.cseq.number)
    return (request.uri, request.from_tag or "", request.call_id, cseq, str(request.via), method)
