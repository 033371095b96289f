"""Semantic validation: a message that parses may still not be served (RFC 3261 sections 8.1.1, 8.2, 16.3)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.message import BadRequestError, Request, Response
from engine.sip.uri import SipUri, check_address, parse_uri

_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards")


def validate_request(request: Request) -> None:
    """Raise ``BadRequestError`` with the status that answers what is wrong."""
    headers = request.headers
    counts = dict.fromkeys(_ONCE, 0)
    for name, _ in headers:
        if name in counts:
            counts[name] += 1
    for name, count in counts.items():
        if count > 1:
            raise BadRequestError(400, f"Several {name} Header Fields", request)
        if count == 0 and name != "Max-Forwards":
            raise BadRequestError(400, f"Missing {name} Header Field", request)
    try:
        cseq = request.cseq
        uri = parse_uri(request.uri)
        check_address(headers.get("From") or "")
        check_address(headers.get("To") or "")
    except RemoteError as error:
        raise BadRequestError(400, error.reason, request) from None
    if isinstance(uri, SipUri) and uri.headers:
        # Acting on them would let anyone set our Route (RFC 4475 section 3.1.2.11).
        raise BadRequestError(400, "Headers In Request-URI", request)
    if cseq.method != request.method:
        raise BadRequestError(400, "CSeq Method Differs From Request", request)
    max_forwards = headers.get("Max-Forwards")
    if max_forwards is not None and not (
        max_forwards.isascii() and max_forwards.isdigit() and int(max_forwards[:9]) <= 255
    ):
        raise BadRequestError(400, "Bad Max-Forwards", request)
    if request.from_tag is None and request.via.branch and request.via.branch.startswith("z9hG4bK"):
        raise BadRequestError(400, "Missing From Tag", request)


def validate_response(response: Response) -> None:
    """Raise ``RemoteError`` for a response that cannot belong to a request of ours."""
    for name in ("From", "To", "Call-ID"):
        if name not in response.headers:
            raise RemoteError(400, f"Missing {name}")
    if len(response.headers.list_of("Via")) != 1:
        raise RemoteError(400, "Response With Another's Via")
