"""Session descriptions: text to values and back, forgiving what phones get wrong (RFC 8866)."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.sip.uri import canonical_ip

MAX_MEDIA_LINES = 64
"""Each must be answered: far more than anybody needs, few enough to be no burden."""

Attributes = tuple[tuple[str, str | None], ...]
"""``a=`` lines in order; ``None`` for a property without a value."""


class Direction(Enum):
    """Which way media flows, seen from whoever wrote the description."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self is Direction.SENDRECV or self is Direction.SENDONLY

    @property
    def receives(self) -> bool:
        return self is Direction.SENDRECV or self is Direction.RECVONLY

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def reversed(self) -> Direction:
        """The same flow seen from the other side."""
        return Direction.of(sends=self.receives, receives=self.sends)


class Format(NamedTuple):
    """One RTP payload of a media line, from ``rtpmap`` or the static table of RFC 3551."""

    payload_type: int
    encoding: str
    """In upper case, ``telephone-event`` in lower case."""
    clock_rate: int
    fmtp: str | None = None
    channels: int = 1


class Origin(NamedTuple):
    """The ``o=`` line: who made the description, and which version of it this is."""

    session_id: str
    version: str
    host: str
    user: str = "-"


class MediaLine(NamedTuple):
    """One ``m=`` line with all that belongs to it."""

    kind: str
    """``audio``, ``video``, ``image`` … in lower case."""
    port: int
    """0: refused or ended."""
    protocol: str
    """``RTP/AVP`` … in upper case for RTP, else as written."""
    formats: tuple[str, ...]
    host: str | None = None
    """Of its own ``c=``; else the session's holds."""
    attributes: Attributes = ()
    others: tuple[tuple[str, str], ...] = ()
    """Its ``i=``, ``b=`` and ``k=`` lines."""
    port_count: int = 1

    def attribute(self, name: str) -> str | None:
        """The first attribute ``name``: ``""`` for a property, ``None`` when it is absent."""
        return _first(self.attributes, name)

    def refused(self) -> MediaLine:
        """The line as an answer writes it that does not want it (RFC 3264 section 6)."""
        return MediaLine(self.kind, 0, self.protocol, self.formats or ("0",))

    def rtp_formats(self) -> tuple[Format, ...]:
        """The payloads in the writer's order of preference; those that nothing describes are left out."""
        described = [item for item in self.attributes if item[0] == "rtpmap" or item[0] == "fmtp"]
        return _formats(self.formats, tuple(described))

    @property
    def rtcp_port(self) -> int:
        """Where the writer wants RTCP (RFC 3605): ``port + 1`` unless it says otherwise."""
        value = (self.attribute("rtcp") or "").partition(" ")[0]
        return int(value) if _is_port(value) else min(self.port + 1, 65535)

    @property
    def packet_ms(self) -> int | None:
        """``ptime``: milliseconds of audio the writer wants in a packet; ``None`` when not said or senseless."""
        value = (self.attribute("ptime") or "").partition(".")[0].strip()
        return int(value) if value.isascii() and value.isdigit() and len(value) < 4 and int(value) else None


class SessionDescription(NamedTuple):
    """A whole description. What is not understood is kept, and written in the order the RFC wants."""

    origin: Origin | None
    media: tuple[MediaLine, ...] = ()
    host: str | None = None
    """Of the session's ``c=``."""
    attributes: Attributes = ()
    others: tuple[tuple[str, str], ...] = (("t", "0 0"),)
    """Further session lines: ``i u e p b t r z k``."""
    name: str = "-"

    @classmethod
    def parse(cls, body: bytes) -> SessionDescription:
        """Read a description; raises ``RemoteError`` 400.

        Forgiven: bare line feeds, spaces at line ends, lines out of order, no ``s=`` or ``t=``, a broken ``o=``.
        Not forgiven: another version, lines that are none, media lines and connections that make no sense.
        """
        return _Reader(body.decode("utf-8", "surrogateescape")).read()

    def encode(self) -> bytes:
        """The description as bytes, lines ended by CRLF."""
        lines = ["v=0"]
        if self.origin is not None:
            o = self.origin
            lines.append(f"o={o.user} {o.session_id} {o.version} {_network(o.host)}")
        lines.append(f"s={self.name}")
        _write_level(lines, self.host, self.others, self.attributes)
        for media in self.media:
            count = f"/{media.port_count}" if media.port_count != 1 else ""
            lines.append(f"m={media.kind} {media.port}{count} {' '.join((media.protocol, *media.formats))}")
            _write_level(lines, media.host, media.others, media.attributes)
        lines.append("")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")

    def host_of(self, media: MediaLine) -> str | None:
        """Where ``media`` is wanted: its own connection, else the session's."""
        return media.host or self.host

    def direction_of(self, media: MediaLine) -> Direction:
        """The direction of ``media``: its own, else the session's, else both ways."""
        for name, _ in media.attributes + self.attributes:
            direction = _DIRECTIONS.get(name)
            if direction is not None:
                return direction
        return Direction.SENDRECV


def is_unspecified(host: str) -> bool:
    """Whether ``host`` is ``0.0.0.0`` or ``::``: the old way to say hold (RFC 3264 section 8.4)."""
    return host in ("0.0.0.0", "::")  # noqa: S104 - compared, never bound


STATIC_PAYLOADS: dict[int, tuple[str, int, int]] = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    4: ("G723", 8000, 1),
    5: ("DVI4", 8000, 1),
    6: ("DVI4", 16000, 1),
    7: ("LPC", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    10: ("L16", 44100, 2),
    11: ("L16", 44100, 1),
    12: ("QCELP", 8000, 1),
    13: ("CN", 8000, 1),
    15: ("G728", 8000, 1),
    16: ("DVI4", 11025, 1),
    17: ("DVI4", 22050, 1),
    18: ("G729", 8000, 1),
}
"""Encoding, clock rate and channels of the audio payloads that need no ``rtpmap`` (RFC 3551 table 4)."""

_DIRECTIONS = {direction.value: direction for direction in Direction}
_MEDIA = re.compile(r"([\w.+-]+)[ \t]+(\d{1,9})(?:/(\d{1,5}))?[ \t]+([\w./+-]+)((?:[ \t]+[^\s]+)*)", re.ASCII)
_RTPMAP = re.compile(r"([\w.+-]+)(?:[ \t]*/[ \t]*(\d{1,6})(?:[ \t]*/[ \t]*(\d{1,2}))?)?", re.ASCII)
_LITERAL = re.compile(r"[0-9A-Fa-f:.]+")
_BEFORE_CONNECTION = "iuep"
_AFTER_CONNECTION = "btrzk"


class _Reader:
    """Collects lines level by level."""

    __slots__ = ("_attributes", "_host", "_lines", "_others")

    def __init__(self, text: str) -> None:
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._start_level()

    def read(self) -> SessionDescription:
        origin: Origin | None = None
        name, version = "-", None
        session: tuple[str | None, Attributes, tuple[tuple[str, str], ...]] | None = None
        media: list[MediaLine] = []
        open_line: str | None = None
        for line in self._lines:
            line = line.rstrip(" \t\0")
            if not line:
                continue
            kind, equals, value = line[0], line[1:2], line[2:].lstrip(" \t")
            if equals != "=":
                raise RemoteError(400, "Malformed SDP line")
            if kind == "m":
                if len(media) >= MAX_MEDIA_LINES - 1 and open_line is not None:
                    raise RemoteError(400, f"More Than {MAX_MEDIA_LINES} SDP Media Lines")
                if open_line is None:
                    session = self._end_level()
                else:
                    media.append(self._end_media(open_line))
                open_line = value
            elif kind == "v":
                version = value
            elif kind == "o":
                origin = _read_origin(value)
            elif kind == "s":
                name = value or "-"
            else:
                self._take(kind, value)
        if (version is None and origin is None) or version not in (None, "0"):
            raise RemoteError(400, "No SDP of version 0")
        if open_line is not None:
            media.append(self._end_media(open_line))
        host, attributes, others = session if session is not None else self._end_level()
        return SessionDescription(origin, tuple(media), host, attributes, others, name)

    def _start_level(self) -> None:
        self._host: str | None = None
        self._attributes: list[tuple[str, str | None]] = []
        self._others: list[tuple[str, str]] = []

    def _take(self, kind: str, value: str) -> None:
        if kind == "a":
            is_short = len(value) <= _LONGEST_REMEMBERED
            self._attributes.append(_remembered_attribute(value) if is_short else _read_attribute(value))
        elif kind == "c":
            host = _read_connection(value)
            self._host = self._host or host
        elif kind in _BEFORE_CONNECTION or kind in _AFTER_CONNECTION:
            self._others.append((kind, value))

    def _end_level(self) -> tuple[str | None, Attributes, tuple[tuple[str, str], ...]]:
        level = self._host, tuple(self._attributes), _sorted(self._others)
        self._start_level()
        return level

    def _end_media(self, line: str) -> MediaLine:
        match = _MEDIA.fullmatch(line)
        if match is None or int(match[2]) > 65535:
            raise RemoteError(400, "Malformed SDP media line")
        kind, port, count, protocol, formats = match.groups()
        host, attributes, others = self._end_level()
        protocol = protocol.upper() if protocol[:4].upper() == "RTP/" else protocol
        return MediaLine(
            kind.lower(),
            int(port),
            protocol,
            tuple(formats.split()),
            host,
            attributes,
            others,
            int(count or 1) or 1,
        )


@lru_cache(maxsize=256)
def _formats(numbers: tuple[str, ...], described: Attributes) -> tuple[Format, ...]:
    """A phone offers the same formats call after call: only ports and origins differ."""
    maps: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, value in described:
        if value:
            key, _, described_as = value.partition(" ")
            (maps if name == "rtpmap" else parameters).setdefault(key, described_as.strip())
    found: dict[int, Format] = {}
    for text in numbers:
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            continue
        number = int(text)
        known = _read_rtpmap(maps[text]) if text in maps else STATIC_PAYLOADS.get(number)
        if known is not None and number < 128 and number not in found:
            encoding, clock_rate, channels = known
            found[number] = Format(number, encoding, clock_rate, parameters.get(text), channels)
    return tuple(found.values())


def _read_attribute(value: str) -> tuple[str, str | None]:
    name, colon, text = value.partition(":")
    return name.strip(), text.strip() if colon else None


_LONGEST_REMEMBERED = 64
"""Characters; keeps what strangers can fill the cache with small."""
_remembered_attribute = lru_cache(maxsize=4096)(_read_attribute)


def _read_origin(value: str) -> Origin | None:
    fields = value.split()
    host = fields[-1].strip("[]") if len(fields) > 5 else ""
    return Origin(fields[-5], fields[-4], host, " ".join(fields[:-5])) if host else None


def _read_connection(value: str) -> str:
    """The host, in canonical form when it is a literal; a multicast TTL is dropped."""
    fields = value.split()
    if len(fields) != 3 or fields[0].upper() != "IN":
        raise RemoteError(400, "Malformed SDP connection")
    host = fields[2].partition("/")[0].strip("[]")
    if not host:
        raise RemoteError(400, "Malformed SDP connection")
    if not _LITERAL.fullmatch(host):
        return host
    try:
        return canonical_ip(host)
    except ValueError:
        raise RemoteError(400, "Malformed address in SDP connection") from None


def _read_rtpmap(text: str) -> tuple[str, int, int] | None:
    match = _RTPMAP.match(text)
    if match is None:
        return None
    encoding, rate, channels = match.groups()
    name = "telephone-event" if encoding.lower() == "telephone-event" else encoding.upper()
    # G.722 samples at 16 kHz but its RTP clock is 8000 (RFC 3551 section 4.5.2); some phones write what it is.
    clock_rate = 8000 if rate is None or name == "G722" else int(rate)
    return (name, clock_rate, int(channels or 1) or 1) if clock_rate else None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536


def _first(attributes: Attributes, name: str) -> str | None:
    for known, value in attributes:
        if known == name:
            return value or ""
    return None


def _network(host: str) -> str:
    return f"IN {'IP6' if ':' in host else 'IP4'} {host}"


def _sorted(others: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    if len(others) < 2:
        return tuple(others)
    order = _BEFORE_CONNECTION + _AFTER_CONNECTION
    return tuple(sorted(others, key=lambda line: order.index(line[0])))


def _write_level(
    lines: list[str], host: str | None, others: tuple[tuple[str, str], ...], attributes: Attributes
) -> None:
    before = [f"{kind}={value}" for kind, value in others if kind in _BEFORE_CONNECTION]
    lines += before
    if host is not None:
        lines.append(f"c={_network(host)}")
    if len(before) != len(others):
        lines += [f"{kind}={value}" for kind, value in others if kind in _AFTER_CONNECTION]
    lines += [f"a={name}" if value is None else f"a={name}:{value}" for name, value in attributes]
