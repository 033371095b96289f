"""The bindings that are in force: which phones an extension has, and where they are reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from engine.core.errors import RemoteError
from engine.core.views import RegistrationView
from engine.sip.flow import host_port
from engine.sip.uri import SipUri, parse_uri, same_uri
from engine.store.bindings import StoredBinding

Binding = StoredBinding


class BindingTable:
    """Every registered contact by extension; each change is handed to ``store`` callbacks at once."""

    def __init__(self, put: Callable[[Binding], None], drop: Callable[[str, str], None]) -> None:
        self._put = put
        self._drop = drop
        self._phones: dict[str, dict[str, Binding]] = {}
        self._views: dict[tuple[str, str], tuple[Binding, RegistrationView]] = {}
        self.revision = 0

    def restore(self, bindings: list[Binding], at: datetime) -> None:
        """Take over what an earlier run stored; what has expired meanwhile is forgotten.

        A clock that was set back since would let them live too long: none gets more than it was granted.
        """
        for stored in bindings:
            binding = stored if stored.registered_at <= at else _moved(stored, at - stored.registered_at)
            if binding.expires_at > at:
                self._phones.setdefault(binding.extension, {})[binding.contact] = binding
            else:
                self._drop(binding.extension, binding.contact)
        self.revision += 1

    def of(self, extension: str) -> tuple[Binding, ...]:
        """The extension's phones, the highest q first, then the oldest."""
        phones = self._phones.get(extension)
        if not phones:
            return ()
        if len(phones) == 1:
            return tuple(phones.values())
        return tuple(sorted(phones.values(), key=lambda phone: (-phone.q, phone.registered_at)))

    def put(self, binding: Binding) -> None:
        self._phones.setdefault(binding.extension, {})[binding.contact] = binding
        self._put(binding)
        self.revision += 1

    def drop(self, binding: Binding) -> None:
        phones = self._phones.get(binding.extension, {})
        if phones.pop(binding.contact, None) is None:
            return
        if not phones:
            del self._phones[binding.extension]
        self._views.pop((binding.extension, binding.contact), None)
        self._drop(binding.extension, binding.contact)
        self.revision += 1

    def shift(self, jump: timedelta) -> None:
        """The wall clock was set: every phone keeps the time it has left."""
        for binding in list(self):
            self.put(_moved(binding, jump))

    def expired(self, at: datetime) -> list[Binding]:
        return [binding for binding in self if binding.expires_at <= at]

    def views(self) -> tuple[RegistrationView, ...]:
        """All registrations by extension; one that has not changed is the same object as before."""
        return tuple(self._view(binding) for binding in sorted(self, key=_by_number))

    def __iter__(self) -> Iterator[Binding]:
        for phones in self._phones.values():
            yield from phones.values()

    def __len__(self) -> int:
        return sum(len(phones) for phones in self._phones.values())

    def _view(self, binding: Binding) -> RegistrationView:
        key = (binding.extension, binding.contact)
        known = self._views.get(key)
        if known is None or known[0] is not binding:
            known = self._views[key] = (binding, registration_view(binding))
        return known[1]


def _moved(binding: Binding, jump: timedelta) -> Binding:
    return replace(binding, registered_at=binding.registered_at + jump, expires_at=binding.expires_at + jump)


def registration_view(binding: Binding) -> RegistrationView:
    """A stored binding as faces see it."""
    return RegistrationView(
        extension=binding.extension,
        contact=binding.contact,
        device=binding.instance,
        source=host_port(binding.source_host, binding.source_port),
        transport=binding.transport.lower(),
        expires_at=binding.expires_at,
        user_agent=binding.user_agent,
    )


def is_same_contact(one: str, other: str) -> bool:
    """Whether two Contact URIs are equal, the order of their parameters apart (RFC 3261 section 19.1.4)."""
    if one == other:
        return True
    try:
        return same_uri(parse_uri(one), parse_uri(other))
    except RemoteError:
        return False


def is_same_phone(known: Binding, new: Binding) -> bool:
    """Whether a registration replaces a known one: the phone refreshed, or rebooted and came back.

    The same ``+sip.instance``, Call-ID, Contact or source address tells: phones behind one NAT differ in their
    source ports, and a phone that was set up anew has another instance at the same place. Behind an edge proxy
    (a Path) the source is the proxy's and tells nothing.
    """
    if known.instance and known.instance == new.instance:
        return True
    if is_same_contact(known.contact, new.contact) or known.call_id == new.call_id:
        return True
    is_direct = not known.path and not new.path
    return is_direct and (known.source_host, known.source_port) == (new.source_host, new.source_port)


def count_phones(bindings: Sequence[Binding]) -> int:
    """How many phones these bindings are: several contacts of one phone count once.

    Contacts of one REGISTER are one phone when they have one ``+sip.instance`` or one host.
    """
    if len(bindings) < 2:
        return len(bindings)
    found: list[Binding] = []
    for binding in bindings:
        if not any(_is_one_phone(known, binding) for known in found):
            found.append(binding)
    return len(found)


def target_of(contact: str) -> str:
    """The Request-URI that reaches a contact: without the header fields that a URI may hold.

    They could send the request anywhere (Route) and belong into none (RFC 3261 section 19.1.5).
    """
    if "?" not in contact:
        return contact
    user, at, rest = contact.rpartition("@")
    return user + at + rest.partition("?")[0]


def _is_one_phone(known: Binding, other: Binding) -> bool:
    if known.call_id != other.call_id:
        return is_same_phone(known, other)
    if known.instance and known.instance == other.instance:
        return True
    return _host_of(known.contact) == _host_of(other.contact)


def _host_of(contact: str) -> str:
    uri = parse_uri(contact)
    return uri.host if isinstance(uri, SipUri) else contact


def is_replaced(known: Binding, new: Binding) -> bool:
    """Whether a known binding ends when ``new`` is made: flows that a phone numbers differently go side by side.

    The same number on another connection is the flow come back (RFC 5626 section 6).
    """
    if known.reg_id and new.reg_id and known.instance and known.instance == new.instance:
        return known.reg_id == new.reg_id
    return is_same_phone(known, new)


def _by_number(binding: Binding) -> tuple[int, str, str]:
    return (len(binding.extension), binding.extension, binding.contact)
