"""Semantic validation: a message that parses may still not be served (RFC 3261 sections 8.1.1, 8.2, 16.3)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.message import BadRequestError, Request, Response
from engine.sip.uri import SipUri, check_address, parse_uri

_NEEDED = frozenset(("From", "To", "Call-ID", "CSeq"))
_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards")
_NEEDED_IN_RESPONSE = frozenset(("From", "To", "Call-ID"))


def validate_request(request: Request) -> None:
    """Raise ``BadRequestError`` with the status that answers what is wrong."""
    headers = request.headers
    if headers.has_repeated or not headers.has_all(_NEEDED):
        _check_counts(request)
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
        max_forwards.isascii() and max_forwards.isdigit() and len(max_forwards) < 10 and int(max_forwards) <= 255
    ):
        raise BadRequestError(400, "Bad Max-Forwards", request)
    if request.from_tag is None and request.via.branch and request.via.branch.startswith("z9hG4bK"):
        raise BadRequestError(400, "Missing From Tag", request)


def _check_counts(request: Request) -> None:
    headers = request.headers
    for name in _ONCE:
        count = len(headers.all(name))
        if count > 1:
            raise BadRequestError(400, f"Several {name} Header Fields", request)
        if count == 0 and name in _NEEDED:
            raise BadRequestError(400, f"Missing {name} Header Field", request)


def validate_response(response: Response) -> None:
    """Raise ``RemoteError`` for a response that cannot belong to a request of ours."""
    headers = response.headers
    if not headers.has_all(_NEEDED_IN_RESPONSE):
        missing = next(name for name in ("From", "To", "Call-ID") if name not in headers)
        raise RemoteError(400, f"Missing {missing}")
    if len(headers.list_of("Via")) != 1:
        raise RemoteError(400, "Response With Another's Via")
