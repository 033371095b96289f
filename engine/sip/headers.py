"""Header fields: an ordered list with canonical names, and the values every message needs parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from typing import Final

from engine.core.errors import RemoteError
from engine.sip.flow import host_port
from engine.sip.uri import split_list

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To",
    "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
_SPELLED = (
    "Accept", "Alert-Info", "Allow", "Authorization", "Call-ID", "Contact", "Content-Length", "Content-Type",
    "CSeq", "Date", "Expires", "From", "Max-Forwards", "MIME-Version", "Min-Expires", "Min-SE",
    "P-Asserted-Identity", "P-Associated-URI", "P-Called-Party-ID", "P-Preferred-Identity", "Path", "Privacy",
    "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "RSeq", "Reason", "Record-Route",
    "Remote-Party-ID", "Replaces", "Require", "Retry-After", "Route", "Server", "Service-Route", "SIP-ETag",
    "SIP-If-Match", "Subscription-State", "Supported", "To", "Unsupported", "User-Agent", "Via", "Warning",
    "WWW-Authenticate",
)  # fmt: skip
_CANONICAL: dict[str, str] = {name.lower(): name for name in _SPELLED} | _COMPACT
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_KNOWN: Final[dict[str, str]] = {}
_KNOWN_LIMIT = 4096
_NO_TOKENS: frozenset[str] = frozenset()


def canonical_name(name: str) -> str:
    """The usual spelling of a header name, compact forms expanded (RFC 3261 section 7.3.3)."""
    known = _KNOWN.get(name)
    if known is None:
        lower = name.lower()
        known = _CANONICAL.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))
        if len(_KNOWN) < _KNOWN_LIMIT:
            _KNOWN[name] = known
    return known


class Headers:
    """Header fields in order; names are canonical, values are text without the surrounding white space."""

    __slots__ = ("_fields", "_firsts")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = list(fields)
        self._firsts = dict(reversed(self._fields))
        """The first value of each name: most fields are there once and looked up often."""

    @classmethod
    def parse(cls, lines: list[str]) -> Headers:
        """From unfolded header lines; raises ``RemoteError(400)`` for a line that is no header field."""
        fields: list[tuple[str, str]] = []
        known = _KNOWN
        for line in lines:
            name, colon, value = line.partition(":")
            canonical = known.get(name) if colon else None
            if canonical is None:
                stripped = name.rstrip(" \t")
                if not colon or not _TOKEN.match(stripped):
                    raise RemoteError(400, "Bad Header Field")
                canonical = canonical_name(stripped)
            fields.append((canonical, value.strip(" \t")))
        return cls(fields)

    @classmethod
    def salvage(cls, lines: list[str]) -> Headers:
        """The header fields among lines of which some are none: enough to answer whoever sent them."""
        fields: list[tuple[str, str]] = []
        for line in lines:
            with suppress(RemoteError):
                fields += cls.parse([line])
        return cls(fields)

    @property
    def has_repeated(self) -> bool:
        """Whether any field is there more than once."""
        return len(self._firsts) != len(self._fields)

    def has_all(self, names: Set[str]) -> bool:
        """Whether each of these canonical names is there."""
        return self._firsts.keys() >= names

    def get(self, name: str) -> str | None:
        """The first value of the field with this canonical name."""
        return self._firsts.get(name)

    def all(self, name: str) -> list[str]:
        """Every field value with this name, one for each line."""
        first = self._firsts.get(name)
        if first is None:
            return []
        if len(self._firsts) == len(self._fields):
            return [first]
        return [value for field, value in self._fields if field == name]

    def list_of(self, name: str) -> list[str]:
        """Every value with this name, comma-separated lines taken apart."""
        lines = self.all(name)
        if len(lines) == 1 and "," not in lines[0]:
            return lines
        return [item for line in lines for item in (split_list(line) if "," in line else [line])]

    def tokens(self, name: str) -> frozenset[str]:
        """The lower-cased option tags or methods of a list-valued field (Supported, Require, Allow …)."""
        if name not in self._firsts:
            return _NO_TOKENS
        return frozenset(
            token.strip().lower() for line in self.all(name) for token in line.split(",") if token.strip()
        )

    def add(self, name: str, value: str) -> None:
        self._fields.append((name, value))
        self._firsts.setdefault(name, value)

    def add_first(self, name: str, value: str) -> None:
        self._fields.insert(0, (name, value))
        self._firsts[name] = value

    def set(self, name: str, value: str) -> None:
        """Replace every field of this name by one at the first one's place (else at the end)."""
        first = self._firsts.get(name)
        if first is None:
            self.add(name, value)
            return
        index = self._fields.index((name, first))
        tail = self._fields[index + 1 :]
        if self.has_repeated:
            tail = [item for item in tail if item[0] != name]
        self._fields[index:] = [(name, value), *tail]
        self._firsts[name] = value

    def replace_first(self, name: str, value: str) -> None:
        """Another value for the first field of this name, which must be there; further ones stay."""
        self._fields[self._fields.index((name, self._firsts[name]))] = (name, value)
        self._firsts[name] = value

    def remove(self, name: str) -> None:
        fields = self._fields
        is_single = len(fields) == len(self._firsts)
        if self._firsts.pop(name, None) is None:
            return
        if is_single and fields[-1][0] == name:  # where Content-Length usually stands
            fields.pop()
        else:
            self._fields = [item for item in fields if item[0] != name]

    def copy(self) -> Headers:
        return Headers(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._firsts

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def encode(self) -> str:
        """The fields as lines, each ended by CRLF."""
        return "".join([f"{name}: {value}\r\n" for name, value in self._fields])


ViaParams = tuple[tuple[str, str | None], ...]


class Via:
    """One Via value (RFC 3261 section 20.42); parameter names are in lower case."""

    __slots__ = ("branch", "host", "params", "port", "transport")

    def __init__(self, transport: str, host: str, port: int | None, branch: str | None, params: ViaParams) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.branch = branch
        self.params = params

    @property
    def sent_by(self) -> str:
        host = self.host.lower()
        return host_port(host, self.port) if self.port is not None else host

    def has(self, name: str) -> bool:
        return name in [param for param, _ in self.params]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Via) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        params = "".join([f";{name}" if value is None else f";{name}={value}" for name, value in self.params])
        return f"SIP/2.0/{self.transport} {host}{port}{params}"


_VIA: Final = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(?:\[([0-9A-Fa-f:.]+)\]|([^\s;,:\[\]]+))\s*+(?::\s*+(\d{1,5})\s*+)?(;.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)


_USUAL_VIA: Final = re.compile(
    r"SIP/2\.0/([A-Z]{3}) ([A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,4}|[1-5]\d{4}))?"
    r"(;rport)?;branch=([\w.+~*-]+)(;rport)?\Z",
    re.ASCII,
)
"""What nearly every phone writes, read four times as fast."""


def parse_via(value: str) -> Via:
    """One Via value (no comma-separated list); raises ``RemoteError(400)``."""
    usual = _USUAL_VIA.match(value)
    if usual is None:
        return _parse_any_via(value)
    transport, host, port, rport_first, branch, rport_last = usual.groups()
    params: ViaParams = (("branch", branch),)
    if rport_first:
        params = (("rport", None), *params)
    if rport_last:
        params = (*params, ("rport", None))
    return Via(transport, host, int(port) if port else None, branch, params)


def _parse_any_via(value: str) -> Via:
    match = _VIA.match(value)
    if match is None:
        raise RemoteError(400, "Bad Via")
    transport, ipv6, host, port, tail = match.groups()
    if port is not None and int(port) > 65535:
        raise RemoteError(400, "Bad Via Port")
    params: list[tuple[str, str | None]] = []
    branch = None
    for part in (tail or "").split(";")[1:]:
        name, equals, text = part.partition("=")
        name = name.strip().lower()
        text = text.strip()
        if not name:
            raise RemoteError(400, "Bad Via Parameter")
        if name == "branch":
            branch = text
        params.append((name, text if equals else None))
    return Via(transport.upper(), ipv6 or host, int(port) if port else None, branch, tuple(params))


def via_seen_from(via: Via, host: str, port: int) -> Via:
    """The top Via with ``received`` and ``rport`` as the server must note them (RFC 3261 18.2.1, RFC 3581)."""
    wants_port = via.has("rport")
    if not wants_port and via.host == host:
        return via
    params = [item for item in via.params if item[0] not in ("received", "rport")]
    if wants_port:
        params.append(("rport", str(port)))
    params.append(("received", host))
    return Via(via.transport, via.host, via.port, via.branch, tuple(params))


class CSeq:
    """A CSeq value (RFC 3261 section 20.16)."""

    __slots__ = ("method", "number")

    def __init__(self, number: int, method: str) -> None:
        self.number = number
        self.method = method

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq(value: str) -> CSeq:
    """Raises ``RemoteError(400)`` unless ``number method`` with a number below 2**31 (section 8.1.1.5)."""
    match = _CSEQ.match(value)
    if match is None:
        raise RemoteError(400, "Bad CSeq")
    number = int(match[1])
    if number >= 2**31:
        raise RemoteError(400, "CSeq Out Of Range")
    return CSeq(number, match[2])


_CSEQ: Final = re.compile(r"([0-9]{1,32}) \s*([A-Za-z0-9\-.!%*_+`'~]+)\s*\Z")


_TAG: Final = re.compile(r";\s*tag\s*=\s*([^;,\s]+)", re.IGNORECASE)


def tag_of(value: str) -> str | None:
    """The tag parameter of a From or To value."""
    _, usual, tag = value.rpartition(">;tag=")
    if usual and tag.isalnum():
        return tag
    match = _TAG.search(value, value.rfind(">") + 1)
    return match.group(1) if match else None
