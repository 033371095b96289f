"""Semantic validation: a message that parses may still not be served (RFC 3261 sections 8.1.1, 8.2, 16.3)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.sip.message import BadRequestError, Request, Response
from engine.sip.methods import ALLOW, KNOWN_METHODS
from engine.sip.uri import SipUri, check_address, parse_uri

MAX_URI_LENGTH = 2048
MAX_BODY_BYTES = 32768
"""More than any description of a call: larger bodies are refused rather than read."""

_NEEDED = frozenset(("From", "To", "Call-ID", "CSeq"))
_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards")
_NEEDED_IN_RESPONSE = frozenset(("From", "To", "Call-ID"))


def validate_request(request: Request) -> None:
    """Raise ``BadRequestError`` with the status that answers what is wrong."""
    headers = request.headers
    if headers.has_repeated or not headers.has_all(_NEEDED):
        _check_counts(request)
    if len(request.body) > MAX_BODY_BYTES:
        raise BadRequestError(413, f"Body Larger Than {MAX_BODY_BYTES} Bytes", request)
    _check_uri(request)
    try:
        cseq = request.cseq
    except RemoteError as error:
        raise BadRequestError(400, error.reason, request) from None
    _check_address(request, "From")
    _check_address(request, "To")
    if cseq.method != request.method:
        # Which of the two errors comes first is free: an unknown method is the one that helps (RFC 4475 3.1.2.18).
        if request.method not in KNOWN_METHODS:
            raise BadRequestError(501, "Not Implemented", request, (("Allow", ALLOW),))
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


def _check_uri(request: Request) -> None:
    if len(request.uri) > MAX_URI_LENGTH:
        raise BadRequestError(414, "Request-URI Too Long", request)
    try:
        uri = parse_uri(request.uri)
    except RemoteError as error:
        raise BadRequestError(400, f"Request-URI: {error.reason}", request) from None
    if isinstance(uri, SipUri) and uri.headers:
        # Acting on them would let anyone set our Route (RFC 4475 section 3.1.2.11).
        raise BadRequestError(400, "Headers In Request-URI", request)


def _check_address(request: Request, name: str) -> None:
    try:
        check_address(request.headers.get(name) or "")
    except RemoteError as error:
        raise BadRequestError(400, f"{name}: {error.reason}", request) from None


def validate_response(response: Response) -> None:
    """Raise ``RemoteError`` for a response that cannot belong to a request of ours."""
    headers = response.headers
    if not headers.has_all(_NEEDED_IN_RESPONSE):
        missing = next(name for name in ("From", "To", "Call-ID") if name not in headers)
        raise RemoteError(400, f"Missing {missing}")
    if len(headers.list_of("Via")) != 1:
        raise RemoteError(400, "Response With Another's Via")
