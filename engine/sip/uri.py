"""SIP and SIPS URIs, opaque URIs of other schemes, and the name-addr form of From, To, Contact and Route."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, Self
from urllib.parse import quote, unquote

from engine.core.errors import RemoteError

Params = tuple[tuple[str, str | None], ...]
"""Parameters in the order written: names in lower case, values decoded, ``None`` for a flag such as ``lr``."""


def param_value(params: Params, name: str) -> str | None:
    """The value of parameter ``name`` (lower case): ``""`` for a flag, ``None`` when it is absent."""
    for known, value in params:
        if known == name:
            return "" if value is None else value
    return None


@dataclass(frozen=True, slots=True)
class SipUri:
    """A ``sip:`` or ``sips:`` URI (RFC 3261 section 19.1); user, password, params and headers hold no escapes."""

    scheme: str
    user: str | None
    host: str
    """In lower case; IPv6 without brackets and in its canonical form."""
    port: int | None = None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read a SIP or SIPS URI; raises ``RemoteError`` 400, or 416 when it is of another scheme."""
        uri = parse_uri(text)
        if isinstance(uri, SipUri):
            return uri
        raise RemoteError(416, "Unsupported URI Scheme")

    def param(self, name: str) -> str | None:
        """The URI parameter ``name`` (lower case): ``""`` for a flag, ``None`` when it is absent."""
        return param_value(self.params, name)

    @property
    def host_port(self) -> str:
        """Host and, where given, port as they are written, IPv6 in brackets."""
        host = bracketed(self.host)
        return host if self.port is None else f"{host}:{self.port}"

    def __str__(self) -> str:
        parts = [self.scheme, ":"]
        if self.user is not None:
            parts.append(_escaped(self.user, _USER_SAFE))
            if self.password is not None:
                parts += (":", _escaped(self.password, _PASSWORD_SAFE))
            parts.append("@")
        parts.append(self.host_port)
        for name, value in self.params:
            parts += (";", _escaped(name, _PARAM_SAFE))
            if value is not None:
                parts += ("=", _escaped(value, _PARAM_SAFE))
        mark = "?"
        for name, value in self.headers:
            parts += (mark, _escaped(name, _HEADER_SAFE), "=", _escaped(value, _HEADER_SAFE))
            mark = "&"
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of a scheme other than SIP (``tel:``, ``urn:`` …), kept as it was written."""

    scheme: str
    """In lower case."""
    rest: str
    """What follows the colon."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri = SipUri | OtherUri


def parse_uri(text: str) -> Uri:
    """Read any absolute URI; raises ``RemoteError`` 400 when it is malformed (RFC 3261 section 25.1).

    White space, control characters, quotes and angle brackets are refused anywhere in it. ``:::`` in an IPv6
    reference is read as ``::`` (RFC 5118 section 4.10).
    """
    return _remembered_uri(text) if len(text) <= _LONGEST_REMEMBERED else _read_uri(text)


def bracketed(host: str) -> str:
    """``host`` as URIs, Via and SIP headers write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def escaped_user(text: str) -> str:
    """``text`` as the user part of a SIP URI is written."""
    return _escaped(text, _USER_SAFE)


@lru_cache(maxsize=4096)
def canonical_ip(text: str) -> str:
    """An IP address literal in its one canonical spelling; raises ``ValueError``."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return f"::ffff:{mapped}" if mapped else str(address)


def same_uri(one: Uri, other: Uri) -> bool:
    """Whether two URIs are equal by RFC 3261 section 19.1.4."""
    if isinstance(one, OtherUri) or isinstance(other, OtherUri):
        return one == other
    return (
        one.scheme == other.scheme
        and one.user == other.user
        and one.password == other.password
        and one.host == other.host
        and one.port == other.port
        and (one.params == other.params or _same_params(one.params, other.params))
        and (one.headers == other.headers or _folded(one.headers) == _folded(other.headers))
    )


@dataclass(frozen=True, slots=True)
class NameAddress:
    """A URI with its display name and header parameters (RFC 3261 section 20.10)."""

    uri: Uri
    display: str | None = None
    params: Params = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"Name" <uri>;params`` or ``uri;params``; raises ``RemoteError`` 400."""
        text = text.strip()
        match = _NAME_ADDR.match(text)
        if match:
            quoted, bare, uri = match.groups()
            display = _unquoted(quoted) if quoted is not None else (bare.strip() or None)
            return cls(parse_uri(uri), display, parse_params(text[match.end() :]))
        if "<" in text or '"' in text.partition(";")[0]:
            raise RemoteError(400, "Malformed address")
        spec, mark, params = text.partition(";")
        if "?" in spec or "," in spec:
            raise RemoteError(400, "Malformed address: such a URI belongs in angle brackets")
        return cls(parse_uri(spec.rstrip()), None, parse_params(mark + params))

    def param(self, name: str) -> str | None:
        """The header parameter ``name`` (lower case): ``""`` for a flag, ``None`` when it is absent."""
        return param_value(self.params, name)

    @property
    def tag(self) -> str | None:
        """The ``tag`` parameter; ``None`` when there is none or it is empty."""
        return self.param("tag") or None

    def with_param(self, name: str, value: str | None) -> Self:
        """The same address with parameter ``name`` set, in place of any it had."""
        kept = tuple(pair for pair in self.params if pair[0] != name)
        return replace(self, params=(*kept, (name, value)))

    def __str__(self) -> str:
        address = f"<{self.uri}>{write_params(self.params)}"
        return address if self.display is None else f"{quoted_string(self.display)} {address}"


def check_address(text: str) -> None:
    """Raise ``RemoteError`` 400 unless ``text`` is what ``NameAddress`` reads; quicker than reading it."""
    if not _USUAL_ADDRESS.fullmatch(text):
        NameAddress.parse(text)


def split_list(value: str) -> list[str]:
    """The elements of a comma-separated header value; commas in quotes and angle brackets separate nothing.

    Empty elements are left out. Raises ``RemoteError`` 400 for a quote or bracket that is never closed.
    """
    if "," not in value:
        only = value.strip()
        return [only] if only else []
    if '"' not in value and "<" not in value:
        return [part for part in map(str.strip, value.split(",")) if part]
    elements = []
    position, end = 0, len(value)
    while position < end:
        match = _ELEMENT.match(value, position)
        position = match.end() if match else position
        if position < end and value[position] != ",":
            raise RemoteError(400, "Unbalanced quote or angle bracket")
        element = match.group().strip() if match else ""
        if element:
            elements.append(element)
        position += 1
    return elements


def parse_params(text: str) -> Params:
    """Header parameters from ``;a=b;c="d";e``; empty text gives none. Raises ``RemoteError`` 400.

    Names come in lower case, quoted values without their quotes and backslashes.
    """
    if not text or text.isspace():
        return ()
    params: list[tuple[str, str | None]] = []
    position, end = 0, len(text)
    while position < end:
        match = _PARAM.match(text, position)
        if not match:
            raise RemoteError(400, "Malformed header parameter")
        name, quoted, plain = match.groups()
        params.append((name.lower(), plain if quoted is None else _unquoted(quoted)))
        position = match.end()
    return tuple(params)


def write_params(params: Params) -> str:
    """Header parameters as they are written; a value that is no token is quoted, feature tags always are.

    Feature tags (``+sip.instance`` …) take quotes by RFC 3840 section 9.
    """
    return "".join(
        f";{name}"
        if value is None
        else f";{name}={value if _PLAIN_VALUE.fullmatch(value) and name[0] != '+' else quoted_string(value)}"
        for name, value in params
    )


def quoted_string(text: str) -> str:
    """``text`` as a quoted-string (RFC 3261 section 25.1); line breaks, which it cannot hold, become spaces."""
    if _QUOTED_AS_IS.fullmatch(text):
        return f'"{text}"'
    return '"' + _TO_ESCAPE.sub(r"\\\g<0>", _LINE_BREAKS.sub(" ", text)) + '"'


_LONGEST_REMEMBERED = 200
"""Characters; keeps what strangers can fill the cache with below a few megabytes."""

_UNRESERVED = "!*'()"
_USER_SAFE = re.compile(r"[\w.~!*'()&=+$,;?/-]*", re.ASCII), _UNRESERVED + "&=+$,;?/"
_PASSWORD_SAFE = re.compile(r"[\w.~!*'()&=+$,-]*", re.ASCII), _UNRESERVED + "&=+$,"
_PARAM_SAFE = re.compile(r"[\w.~!*'()\[\]/:&+$-]*", re.ASCII), _UNRESERVED + "[]/:&+$"
_HEADER_SAFE = re.compile(r"[\w.~!*'()\[\]/?:+$-]*", re.ASCII), _UNRESERVED + "[]/?:+$"

_NEVER_IN_URI = re.compile(r'[\x00-\x20\x7f<>"]')
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_SIP_REST = re.compile(
    r"(?:(?P<user>[^@:]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<v6>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|(?P<host>[A-Za-z0-9._-]+))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<params>;[^?]*)?"
    r"(?:\?(?P<headers>.*))?"
)
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_NAME_ADDR: Final = re.compile(rf'(?:{_QUOTED}\s*|([^<>",;\x00-\x08\x0a-\x1f\x7f]*+))<([^>]*)>', re.DOTALL)
_USUAL_ADDRESS: Final = re.compile(
    r'(?:"[^"\\\x00-\x1f\x7f]*+" ?|[\w .-]*+)<sips?:[\w.+*-]++@[\w.-]++(?::[1-9]\d{0,3})?>(?:;tag=[\w.+-]++)?',
    re.ASCII,
)
_ELEMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*+"|<[^>]*>|[^,"<]++)++', re.DOTALL)
_TOKEN = r"[A-Za-z0-9.!%*_+`'~-]"  # noqa: S105 - a grammar rule, no password
_PARAM: Final = re.compile(rf'\s*;\s*({_TOKEN}++)\s*(?:=\s*(?:{_QUOTED}|([^\s;,"<>]*+))\s*)?', re.DOTALL)
_PLAIN_VALUE = re.compile(rf"(?:{_TOKEN}|[:\[\]])++")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_QUOTED_AS_IS = re.compile(r'[^\x00-\x08\x0a-\x1f\x7f"\\]*+')
_TO_ESCAPE = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f"\\]')
_LINE_BREAKS = re.compile(r"[\r\n]+")

_DECIDES_ALONE = frozenset(("user", "ttl", "method", "maddr", "transport"))
"""Parameters that make two URIs differ when only one has them (RFC 3261 section 19.1.4 and its examples)."""


def _read_uri(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme) or _NEVER_IN_URI.search(rest):
        raise RemoteError(400, "Malformed URI")
    scheme = scheme.lower()
    return _read_sip(scheme, rest) if scheme in ("sip", "sips") else OtherUri(scheme, rest)


_remembered_uri = lru_cache(maxsize=4096)(_read_uri)


def _read_sip(scheme: str, rest: str) -> SipUri:
    match = _SIP_REST.fullmatch(rest)
    if not match:
        raise RemoteError(400, "Malformed SIP URI")
    if "%" in rest and _BAD_ESCAPE.search(rest):
        raise RemoteError(400, "Malformed escape in URI")
    user, password, v6, name, port, params, headers = match.groups()
    return SipUri(
        scheme,
        user and unquote(user, errors="surrogateescape"),
        _canonical_ipv6(v6) if v6 else name.lower(),
        _read_port(port) if port else None,
        tuple(map(_read_param, params[1:].split(";"))) if params else (),
        tuple(map(_read_header, headers.split("&"))) if headers else (),
        password and unquote(password, errors="surrogateescape"),
    )


def _read_port(digits: str) -> int:
    port = int(digits)
    if not 0 < port < 65536:
        raise RemoteError(400, "Malformed URI: no such port")
    return port


def _read_param(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise RemoteError(400, "Malformed URI: empty parameter")
    decoded = unquote(value, errors="surrogateescape") if equals else None
    return unquote(name, errors="surrogateescape").lower(), decoded


def _read_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return unquote(name, errors="surrogateescape"), unquote(value, errors="surrogateescape")


@lru_cache(maxsize=1024)
def _canonical_ipv6(text: str) -> str:
    try:
        return canonical_ip(text.replace(":::", "::"))
    except ValueError:
        raise RemoteError(400, "Malformed IPv6 address in URI") from None


def _escaped(text: str, safe: tuple[re.Pattern[str], str]) -> str:
    pattern, kept = safe
    return text if pattern.fullmatch(text) else quote(text, safe=kept, errors="surrogateescape")


def _unquoted(text: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def _same_params(one: Params, other: Params) -> bool:
    ones, others = dict(_lowered(one)), dict(_lowered(other))
    if any(ones[name] != others[name] for name in ones.keys() & others.keys()):
        return False
    return not (ones.keys() ^ others.keys()) & _DECIDES_ALONE


def _lowered(params: Params) -> Params:
    return tuple((name, value and value.lower()) for name, value in params)


def _folded(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in headers)
