"""What a REGISTER asks for, read and checked (RFC 3261 section 10.3, RFC 3327)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.errors import RemoteError
from engine.core.text import may_be_number, readable
from engine.sip.message import Request
from engine.sip.uri import NameAddress, SipUri, check_address

DEFAULT_EXPIRES_S = 3600
MAX_CONTACTS = 10


@dataclass(frozen=True, slots=True)
class RequestedContact:
    """One Contact of a REGISTER; ``expires_s`` 0 removes it."""

    uri: str
    expires_s: int
    q: float
    instance: str | None


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """A REGISTER; without contacts it only asks, ``removes_all`` is ``Contact: *``."""

    number: str
    contacts: tuple[RequestedContact, ...]
    removes_all: bool
    path: tuple[str, ...] = ()
    """The proxies to route through, topmost first (RFC 3327)."""


def read_register(request: Request) -> RegisterRequest:
    """Raises ``RemoteError`` with the status that answers what is wrong."""
    number = address_of_record(request)
    values = request.headers.list_of("Contact")
    if len(values) > MAX_CONTACTS:
        raise RemoteError(403, "Too Many Contacts")
    expires = request.headers.get("Expires")
    if any(value.strip() == "*" for value in values):
        if len(values) != 1 or expires is None or expires.strip() != "0":
            raise RemoteError(400, "Contact * Needs Expires 0 And No Other Contact")
        return RegisterRequest(number, (), True)
    default_s = read_seconds(expires) if expires is not None else DEFAULT_EXPIRES_S
    contacts = tuple(_read_contact(value, default_s) for value in values)
    return RegisterRequest(number, contacts, False, _read_path(request))


def address_of_record(request: Request) -> str:
    """The number in To that is to be registered."""
    uri = NameAddress.parse(request.headers.get("To") or "").uri
    if not isinstance(uri, SipUri) or not may_be_number(uri.user or ""):
        raise RemoteError(404, "Not Found")
    return uri.user or ""


def read_seconds(text: str) -> int:
    """Delta-seconds; what is no number counts as the default, beyond 32 bits as the most (RFC 4475)."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_EXPIRES_S
    return min(int(text[:11]), 2**32 - 1)


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
    )


def _read_path(request: Request) -> tuple[str, ...]:
    path = tuple(map(readable, request.headers.list_of("Path")))
    for proxy in path:
        check_address(proxy)
    return path


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
