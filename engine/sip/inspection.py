"""What a well-formed request asks that we cannot do: schemes, extensions, bodies (RFC 3261 section 8.2)."""

from __future__ import annotations

from typing import NamedTuple

from engine.core.text import shown
from engine.sip.message import Request

Fields = tuple[tuple[str, str], ...]

SUPPORTED_OPTIONS: dict[str, frozenset[str]] = {
    "REGISTER": frozenset({"path", "outbound"}),
    "INVITE": frozenset({"100rel", "timer", "replaces"}),
    "UPDATE": frozenset({"timer"}),
    "SUBSCRIBE": frozenset({"eventlist"}),
}
"""Option tags that a Require may name, by method; never more than what is implemented."""
ACCEPT: Fields = (("Accept", "application/sdp"), ("Accept-Encoding", "identity"), ("Accept-Language", "en"))
"""What we read, as a response to OPTIONS says it (RFC 3261 section 11.2)."""

_NO_OPTIONS: frozenset[str] = frozenset()
_SCHEMES = ("sip:", "sips:", "tel:")
_BODIES_TAKEN = frozenset({"BYE", "ACK", "CANCEL", "MESSAGE", "INFO"})
"""Whatever they carry, a call must end, a text is for whoever it is sent to, and digits are read by the session."""


class Refusal(NamedTuple):
    """The final response that a request gets unseen by any user."""

    status: int
    reason: str
    headers: Fields = ()


def inspect_request(request: Request) -> Refusal | None:
    """The refusal that a request deserves before anybody looks at what it is about; ``None`` when there is none."""
    if not request.uri[:5].lower().startswith(_SCHEMES):
        return Refusal(416, "Unsupported URI Scheme")
    headers = request.headers
    if "Require" in headers or "Proxy-Require" in headers:
        refusal = _inspect_extensions(request)
        if refusal is not None:
            return refusal
    if request.body and request.method not in _BODIES_TAKEN:
        refusal = _inspect_body(request)
        if refusal is not None:
            return refusal
    if "Accept" in headers and request.method == "INVITE" and not _takes_sdp(headers.list_of("Accept")):
        return Refusal(406, "Only application/sdp Can Be Answered")
    return None


def _inspect_extensions(request: Request) -> Refusal | None:
    supported = SUPPORTED_OPTIONS.get(request.method, _NO_OPTIONS)
    wanted = [tag for name in ("Require", "Proxy-Require") for tag in request.headers.list_of(name)]
    unknown = [tag for tag in dict.fromkeys(wanted) if tag and tag.lower() not in supported]
    return Refusal(420, "Bad Extension", (("Unsupported", ", ".join(unknown)),)) if unknown else None


def _inspect_body(request: Request) -> Refusal | None:
    """A body that must be understood and is not (section 8.2.3); ``handling=optional`` says that it need not."""
    headers = request.headers
    encoding = headers.get("Content-Encoding")
    has_encoding = encoding is not None and encoding.strip().lower() not in ("", "identity")
    disposition = headers.get("Content-Disposition")
    kind = request.content_type
    if not has_encoding and disposition is None and kind == "application/sdp":
        return None
    purpose, _, params = (disposition or "session").lower().partition(";")
    if "optional" in params.replace(" ", "").partition("handling=")[2].partition(";")[0]:
        return None
    if has_encoding:
        return Refusal(415, "Unsupported Content-Encoding", ACCEPT[:2])
    if not kind:
        return Refusal(415, "Body Without Content-Type", ACCEPT[:1])
    if kind != "application/sdp":
        return Refusal(415, f"Unsupported Media Type {shown(kind, 60)}", ACCEPT[:1])
    if purpose.strip() != "session":
        return Refusal(415, "Unsupported Content-Disposition", ACCEPT[:1])
    return None


def _takes_sdp(ranges: list[str]) -> bool:
    """Whether an Accept takes SDP; the most specific range that covers it decides (RFC 2616 section 14.1)."""
    qualities: dict[str, bool] = {}
    for item in ranges:
        kind, _, params = item.lower().partition(";")
        kind = kind.replace(" ", "").replace("\t", "")
        if kind in _SDP_RANGES:
            qualities.setdefault(kind, not _is_zero(params))
    return next((qualities[kind] for kind in _SDP_RANGES if kind in qualities), False)


def _is_zero(params: str) -> bool:
    for param in params.split(";"):
        name, _, value = param.partition("=")
        if name.strip() == "q":
            return not value.strip(" 0.")
    return False


_SDP_RANGES = ("application/sdp", "application/*", "*/*")
