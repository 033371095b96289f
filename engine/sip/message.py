"""SIP messages: bytes to requests and responses and back (RFC 3261 section 7)."""

from __future__ import annotations

import re
from typing import Final

from engine.core.errors import RemoteError
from engine.sip.headers import CSeq, Headers, Via, parse_cseq, parse_via, tag_of
from engine.sip.uri import split_list

MAX_MESSAGE_BYTES = 65535
MAX_HEADER_FIELDS = 256
MAX_REQUEST_FIELDS = MAX_HEADER_FIELDS - 16
"""An answer repeats what it must and adds its own."""

_REQUEST_LINE: Final = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+) (\S.*\S|\S) SIP/(\d+\.\d+)\Z", re.IGNORECASE)
_FOLDED: Final = re.compile(r"\r\n[ \t]")
_FOLD: Final = re.compile(r"(?<![ \t])[ \t]*+(?:\r\n[ \t]++)+")
"""Looks at a run of spaces once, wherever it leads."""
_STATUS_LINE: Final = re.compile(r"SIP/(\d+\.\d+) (\d{3})(?: (.*))?\Z", re.IGNORECASE)

_UNREAD = ";unread"
"""No tag can look like this."""


class Message:
    """What requests and responses share; the parsed values are cached, so build first and read then."""

    __slots__ = ("_cseq", "_from_tag", "_to_tag", "_via", "body", "headers")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self._via: Via | None = None
        self._cseq: CSeq | None = None
        self._from_tag: str | None = _UNREAD
        self._to_tag: str | None = _UNREAD

    @property
    def via(self) -> Via:
        """The topmost Via; raises ``RemoteError(400)`` when there is none."""
        if self._via is None:
            value = self._must("Via")
            self._via = parse_via(split_list(value)[0] if "," in value else value)
        return self._via

    @property
    def cseq(self) -> CSeq:
        if self._cseq is None:
            self._cseq = parse_cseq(self._must("CSeq"))
        return self._cseq

    @property
    def call_id(self) -> str:
        return self._must("Call-ID")

    @property
    def from_tag(self) -> str | None:
        if self._from_tag is _UNREAD:
            self._from_tag = tag_of(self._must("From"))
        return self._from_tag

    @property
    def to_tag(self) -> str | None:
        if self._to_tag is _UNREAD:
            self._to_tag = tag_of(self._must("To"))
        return self._to_tag

    @property
    def content_type(self) -> str:
        """The body's media type in lower case, without parameters."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def sdp(self) -> bytes:
        """The body when it is a session description, else nothing."""
        return self.body if self.body and self.content_type == "application/sdp" else b""

    def _must(self, name: str) -> str:
        value = self.headers.get(name)
        if value is None:
            raise RemoteError(400, f"Missing {name}")
        return value

    def _encode(self, first_line: str) -> bytes:
        head = f"{first_line}\r\n{self.headers.encode()}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """A request; ``uri`` is the Request-URI as written. ``headers`` hold no Content-Length: encoding adds it."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, headers: Headers | None = None, body: bytes = b"") -> None:
        super().__init__(headers if headers is not None else Headers(), body)
        self.method = method
        self.uri = uri

    def encode(self) -> bytes:
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def __repr__(self) -> str:
        return f"<{self.method} {self.uri} {self.headers.get('Call-ID')} {self.headers.get('CSeq')}>"


class Response(Message):
    """A response. ``headers`` hold no Content-Length: encoding adds it."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, headers: Headers | None = None, body: bytes = b"") -> None:
        super().__init__(headers if headers is not None else Headers(), body)
        self.status = status
        self.reason = reason

    def encode(self) -> bytes:
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")

    def __repr__(self) -> str:
        return f"<{self.status} {self.reason} {self.headers.get('Call-ID')} {self.headers.get('CSeq')}>"


class BadRequestError(RemoteError):
    """A request too broken to be served that can still be answered; ``request`` holds what was read of it."""

    def __init__(
        self, status: int, reason: str, request: Request, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(status, reason)
        self.request = request
        self.headers = headers
        """What the answer says beside the copied fields."""


def parse_message(data: bytes) -> Request | Response:
    """One whole datagram.

    Raises ``RemoteError`` for what is no SIP message, its subclass ``BadRequestError`` for a request whose start
    line and header can be read but that must be refused (wrong version, length that lies).
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteError(513, "Message Too Large")
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    if _FOLDED.search(text):
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    breaks = len(lines) - 1
    flaw = "" if separator else "Header Not Ended"
    if text.count("\n") != breaks or text.count("\r") != breaks:
        flaw = "Bare Line Break In Header"  # others may take it for the end of the line
        lines = [line.replace("\r", " ").replace("\n", " ") for line in lines]
    first = lines[0]
    is_response = first[:4].upper() == "SIP/"
    if len(lines) > (MAX_HEADER_FIELDS if is_response else MAX_REQUEST_FIELDS):
        raise RemoteError(400, "Too Many Header Fields")
    try:
        headers = Headers.parse(lines[1:])
    except RemoteError as error:
        headers, flaw = Headers.salvage(lines[1:]), error.reason
    if not is_response:
        return _request(first, headers, body, flaw)
    if flaw and separator:
        raise RemoteError(400, flaw)
    return _response(first, headers, body)


def _response(first: str, headers: Headers, body: bytes) -> Response:
    match = _STATUS_LINE.match(first)
    if match is None or match.group(1) != "2.0" or not 100 <= int(match.group(2)) <= 699:
        raise RemoteError(400, "Bad Status Line")
    body, is_whole = _cut_body(headers, body)
    if not is_whole:
        raise RemoteError(400, "Body Shorter Than Content-Length")
    return Response(int(match.group(2)), match.group(3) or "", headers, body)


def _request(first: str, headers: Headers, body: bytes, flaw: str) -> Request:
    match = _REQUEST_LINE.match(first)
    if match is None:
        # A request line whose URI holds white space or an unknown version is still answered (RFC 4475 3.1.2).
        parts = first.split()
        if len(parts) < 3 or not parts[-1].upper().startswith("SIP/"):
            raise RemoteError(400, "Bad Request Line")
        raise BadRequestError(400, "Bad Request Line", Request(parts[0], parts[1], headers, b""))
    method, uri, version = match.groups()
    if version != "2.0":
        raise BadRequestError(505, "Version Not Supported", Request(method, uri, headers, b""))
    if " " in uri or "\t" in uri or uri[0] == "<":
        raise BadRequestError(400, "Bad Request-URI", Request(method, uri, headers, b""))
    if flaw:
        raise BadRequestError(400, flaw, Request(method, uri, headers, b""))
    try:
        body, is_whole = _cut_body(headers, body)
    except RemoteError as error:
        raise BadRequestError(400, error.reason, Request(method, uri, headers, b"")) from None
    request = Request(method, uri, headers, body)
    if not is_whole:
        raise BadRequestError(400, "Body Shorter Than Content-Length", request)
    return request


def _cut_body(headers: Headers, body: bytes) -> tuple[bytes, bool]:
    """The body by Content-Length (RFC 3261 section 18.3), which is then removed from ``headers``."""
    length = headers.get("Content-Length")
    if length is None:
        return body, True
    is_agreed = not headers.has_repeated or set(headers.all("Content-Length")) == {length}
    headers.remove("Content-Length")
    if not (is_agreed and length.isascii() and length.isdigit()) or len(length) > 9:
        raise RemoteError(400, "Bad Content-Length")
    wanted = int(length)
    return body[:wanted], len(body) >= wanted


REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
    413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 433: "Anonymity Disallowed",
    439: "First Hop Lacks Outbound Support",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


def reason_for(status: int) -> str:
    """The RFC's reason phrase, or the phrase of the status class (RFC 3261 section 21)."""
    return REASONS.get(status) or REASONS.get(status // 100 * 100) or "Failure"


def make_response(
    request: Request, status: int, reason: str | None = None, *, to_tag: str | None = None
) -> Response:
    """A response to ``request`` with the fields that must be copied (RFC 3261 section 8.2.6)."""
    names = _COPIED_WITH_ROUTES if request.method == "INVITE" and 100 < status < 300 else _COPIED
    headers = Headers([item for item in request.headers if item[0] in names])
    if to_tag and "To" in headers and request.to_tag is None:
        headers.set("To", f"{headers.get('To')};tag={to_tag}")
    return Response(status, reason or reason_for(status), headers)


_COPIED = frozenset(("Via", "From", "To", "Call-ID", "CSeq"))
_COPIED_WITH_ROUTES = _COPIED | {"Record-Route"}
