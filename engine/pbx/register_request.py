"""What a REGISTER asks for, read and checked (RFC 3261 section 10.3, RFC 3327)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from engine.core.errors import RemoteError
from engine.core.text import readable
from engine.sip.message import Request
from engine.sip.uri import NameAddress, SipUri, check_address

DEFAULT_EXPIRES_S = 3600
MAX_CONTACTS = 10
MAX_PATH = 10


@dataclass(frozen=True, slots=True)
class RequestedContact:
    """One Contact of a REGISTER; ``expires_s`` 0 removes it."""

    uri: str
    expires_s: int
    q: float
    instance: str | None
    reg_id: int | None = None
    """Which of the phone's flows it is (RFC 5626); only ever together with ``instance``."""


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """A REGISTER; without contacts it only asks, ``removes_all`` is ``Contact: *``."""

    number: str
    """The user part of To, whatever it is; empty when there is none."""
    contacts: tuple[RequestedContact, ...]
    removes_all: bool
    path: tuple[str, ...] = ()
    """The proxies to route through, topmost first (RFC 3327)."""

    @property
    def changes(self) -> bool:
        """Whether it does more than ask."""
        return self.removes_all or bool(self.contacts)


def read_register(request: Request) -> RegisterRequest:
    """Raises ``RemoteError`` with the status that answers what is wrong."""
    to = request.headers.get("To") or ""
    number = _remembered_number(to) if len(to) <= _LONGEST_REMEMBERED else _number_in(to)
    values = request.headers.list_of("Contact")
    if len(values) > MAX_CONTACTS:
        raise RemoteError(403, f"More Than {MAX_CONTACTS} Contacts")
    expires = request.headers.get("Expires")
    if "*" in values:
        if len(values) != 1 or expires is None or expires.strip() != "0":
            raise RemoteError(400, "Contact * Needs Expires 0 And No Other Contact")
        return RegisterRequest(number, (), True)
    default_s = read_seconds(expires) if expires is not None else DEFAULT_EXPIRES_S
    contacts = tuple(
        [
            _remembered_contact(value, default_s)
            if len(value) <= _LONGEST_REMEMBERED
            else _read_contact(value, default_s)
            for value in values
        ]
    )
    return RegisterRequest(number, contacts, False, _read_path(request))


def read_seconds(text: str) -> int:
    """Delta-seconds; what is no number counts as the default, beyond 32 bits as the most (RFC 4475)."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_EXPIRES_S
    return min(int(text[:11]), 2**32 - 1)


def _number_in(to: str) -> str:
    uri = NameAddress.parse(to).uri
    if not isinstance(uri, SipUri):
        raise RemoteError(400, "To Is No SIP URI")
    return uri.user or ""


def _read_contact(value: str, default_s: int) -> RequestedContact:
    address = NameAddress.parse(value)
    if not isinstance(address.uri, SipUri):
        raise RemoteError(400, "Contact Is No SIP URI")
    expires = address.param("expires")
    instance = address.param("+sip.instance")
    return RequestedContact(
        uri=str(address.uri),
        expires_s=read_seconds(expires) if expires is not None else default_s,
        q=_read_q(address.param("q")),
        instance=readable(instance.strip('"').strip("<>")) if instance else None,
        reg_id=_read_reg_id(address.param("reg-id")) if instance else None,
    )


_LONGEST_REMEMBERED = 250
"""Characters; keeps what strangers can fill the caches with below a few megabytes."""
# A phone writes the same at every refresh.
_remembered_number = lru_cache(maxsize=4096)(_number_in)
_remembered_contact = lru_cache(maxsize=4096)(_read_contact)


def _read_path(request: Request) -> tuple[str, ...]:
    if "Path" not in request.headers:
        return ()
    path = tuple(map(readable, request.headers.list_of("Path")))
    if len(path) > MAX_PATH:
        raise RemoteError(403, f"More Than {MAX_PATH} Proxies In Path")
    for proxy in path:
        check_address(proxy)
    return path


def _read_reg_id(text: str | None) -> int | None:
    """1 to 2**31 - 1; anything else is as if it were not there (RFC 5626 section 4.2)."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    number = int(text)
    return number if 0 < number < 2**31 else None


def _read_q(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        q = float(text)
    except ValueError:
        raise RemoteError(400, "Bad q Value") from None
    if not 0.0 <= q <= 1.0:
        raise RemoteError(400, "Bad q Value")
    return q
