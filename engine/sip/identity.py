"""Who calls, as the header fields say it, and how we say it (RFC 3323, 3325)."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.core.peering import Identity
from engine.sip.headers import Headers
from engine.sip.uri import NameAddress, OtherUri, SipUri, escaped_user, quoted_string

ANONYMOUS_FROM = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""The From of who withholds the number (RFC 3323 section 4.1.1.3)."""
_NAMELESS_USERS = frozenset({"", "anonymous", "unknown", "unavailable", "restricted"})
_NAMELESS_HOSTS = frozenset({"anonymous.invalid"})
_PRIVATE = frozenset({"id", "user", "header"})
"""Values of Privacy that ask for the identity to be withheld."""
_Fields = tuple[tuple[str, str], ...]
_NO_TOKENS: frozenset[str] = frozenset()


class Caller(NamedTuple):
    """Who calls: what may be shown, and whether it may be told on."""

    number: str | None
    """The user part of the address; ``None`` when the caller withholds it or it cannot be told."""
    name: str | None = None
    is_private: bool = False
    """The number is known, for a network asserts it, and the caller asked that it be withheld."""


def privacy_of(headers: Headers) -> frozenset[str]:
    """The values of Privacy in lower case, such as ``id`` and ``critical`` (RFC 3323 section 4.2)."""
    if "Privacy" not in headers:
        return _NO_TOKENS
    values = ";".join(headers.all("Privacy")).replace(",", ";")
    return frozenset(value.strip().lower() for value in values.split(";") if value.strip())


def asks_privacy(headers: Headers) -> bool:
    """Whether the caller wants its number withheld: Privacy, or a private Remote-Party-ID."""
    if privacy_of(headers) & _PRIVATE:
        return True
    party = headers.get("Remote-Party-ID")
    if party is None:
        return False
    with suppress(RemoteError):
        return (NameAddress.parse(party).param("privacy") or "").lower() in ("full", "uri", "yes")
    return False


def is_anonymous(headers: Headers) -> bool:
    """Whether the caller is anonymous in any of the ways there are.

    From ``anonymous@anonymous.invalid``, the display name "Anonymous", the users ``unknown``, ``unavailable`` and
    ``restricted``, an empty user, and Privacy ``id``, ``user`` or ``header``.
    """
    if asks_privacy(headers):
        return True
    address = _address(headers.get("From"))
    if address is None:
        return True
    if (address.display or "").strip().lower() == "anonymous":
        return True
    uri = address.uri
    if isinstance(uri, OtherUri):
        return not uri.rest.strip()
    return (uri.user or "").strip().lower() in _NAMELESS_USERS or uri.host.lower() in _NAMELESS_HOSTS


def caller_of(headers: Headers, *, is_trusted: bool) -> Caller:
    """Who calls: by what a trusted network asserts, else by From; an anonymous From tells nobody's number."""
    is_private = is_anonymous(headers)
    if is_trusted:
        for name in ("P-Asserted-Identity", "Remote-Party-ID"):
            for value in headers.list_of(name):
                address = _address(value)
                number = _number(address)
                if address is not None and number is not None and number.lower() not in _NAMELESS_USERS:
                    return Caller(number, address.display or _display(headers), is_private)
    if is_private and "Privacy" not in headers:
        return Caller(None, None, True)
    address = _address(headers.get("From"))
    number = _number(address)
    if number is not None and (number.lower() in _NAMELESS_USERS or not number):
        number = None
    return Caller(number, address.display if address is not None else None, is_private)


def told_fields(caller: Caller, identity: Identity, host: str, *, is_trusted: bool) -> tuple[str, _Fields]:
    """The From value (without tag) and the further fields that tell a peer who calls.

    A withheld number goes into no From; what a network asserts of it is told to peers that are trusted to keep it,
    with ``Privacy: id`` beside it, and to no others (RFC 3325 section 7).
    """
    if caller.number is None:
        return ANONYMOUS_FROM, (("Privacy", "id"),)
    address = _written(caller, host)
    if not caller.is_private:
        return address, _asserted(address, identity, is_private=False)
    asserted = _asserted(address, identity, is_private=True) if is_trusted else ()
    return ANONYMOUS_FROM, (*asserted, ("Privacy", "id"))


def shown_to_phone(caller: Caller, host: str) -> str:
    """The From value (without tag) of a call to a phone of the office."""
    if caller.number is None or caller.is_private:
        return ANONYMOUS_FROM
    return _written(caller, host)


def _asserted(address: str, identity: Identity, *, is_private: bool) -> _Fields:
    if identity is Identity.PAI:
        return (("P-Asserted-Identity", address),)
    if identity is Identity.PPI:
        return (("P-Preferred-Identity", address),)
    if identity is Identity.RPID:
        privacy = "full" if is_private else "off"
        return (("Remote-Party-ID", f"{address};party=calling;screen=yes;privacy={privacy}"),)
    return ()


def _written(caller: Caller, host: str) -> str:
    display = f"{quoted_string(caller.name)} " if caller.name else ""
    return f"{display}<sip:{escaped_user(caller.number or '')}@{host}>"


def _address(value: str | None) -> NameAddress | None:
    if value is None:
        return None
    with suppress(RemoteError):
        return NameAddress.parse(value)
    return None


def _number(address: NameAddress | None) -> str | None:
    """The number of an address: the user of a SIP URI, or a tel URI without its parameters."""
    if address is None:
        return None
    uri = address.uri
    if isinstance(uri, SipUri):
        return uri.user
    return uri.rest.partition(";")[0].replace("-", "") if uri.scheme == "tel" else None


def _display(headers: Headers) -> str | None:
    address = _address(headers.get("From"))
    return address.display if address is not None else None
