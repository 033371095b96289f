"""The registrar: REGISTER to bindings, and one number with one phone or many (RFC 3261 section 10.3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.crew import Crew
from engine.core.errors import RemoteError
from engine.core.events import PhoneRegistered, PhoneUnregistered, RegistrationRefused
from engine.core.text import may_be_number, readable
from engine.net.endpoint import Endpoint
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.bindings import Binding, BindingTable, count_phones, is_replaced, is_same_contact, is_same_phone
from engine.pbx.outbound import GRANTED, is_other_flow, settle_flows, surplus_flows
from engine.pbx.probe import is_alive
from engine.pbx.register_request import RegisterRequest, RequestedContact, read_register
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow, host_port
from engine.sip.message import reason_for
from engine.sip.transaction.outputs import RequestArrived
from engine.store.configuration import Configuration, Extension

log = logging.getLogger(__name__)

GRACE_S = 60.0
"""How long a phone's connection is kept when its registration is over."""

Fields = tuple[tuple[str, str], ...]


class Change(NamedTuple):
    """What an authenticated REGISTER would do to its extension's bindings."""

    arrived: RequestArrived
    extension: Extension
    new: list[Binding]
    leaving: frozenset[str]
    """Contacts of bindings that go."""


@dataclass(slots=True)
class Registrar:
    """Answers every REGISTER; ``crew`` carries the few that must first ask the known phone."""

    agent: UserAgent
    endpoint: Endpoint
    clock: Clock
    bus: EventBus
    authenticator: Authenticator
    bindings: BindingTable
    crew: Crew
    configuration: Configuration

    def receive(self, arrived: RequestArrived) -> None:
        """Authenticate, then bind, ask, remove or refuse."""
        now = self.clock.now()
        flaw: RemoteError | None = None
        try:
            wanted = read_register(arrived.request)
        except RemoteError as error:
            flaw = error
        identity = self.authenticator.identify(arrived.request, arrived.flow.remote_host, now, proxy=False)
        if flaw is not None and identity.login is not Login.KNOWN:
            # What nobody could be registered by needs no password (RFC 4475 sections 3.1.2.13 and 3.3.4).
            self.agent.answer_stranger(arrived, flaw.status, now, (), flaw.reason)
            return
        if identity.login is Login.CHALLENGE:
            fields = self.authenticator.challenge(now, proxy=False, is_stale=identity.is_stale)
            self.agent.answer_stranger(arrived, 401, now, fields)
            return
        if identity.extension is None:
            source = arrived.flow.remote
            if self.authenticator.report("REGISTER", identity, source, now):
                at = self.clock.wall()
                self.bus.publish(RegistrationRefused(at, identity.user, source, 403, identity.reason))
            self.agent.answer_stranger(arrived, 403, now, ())
            return
        try:
            if flaw is not None:
                raise flaw
            if not may_be_number(wanted.number):
                raise RemoteError(404, reason_for(404))
            if wanted.number != identity.extension.number:
                raise RemoteError(403, f"{identity.extension.number} May Not Register {wanted.number}")
            self._serve(arrived, identity.extension, wanted)
        except RemoteError as error:
            self._refuse(arrived, identity.extension.number, error.status, error.reason)

    def sweep(self) -> None:
        """Forget the bindings that have expired; called every few seconds."""
        for binding in self.bindings.expired(self.clock.wall()):
            self._drop(binding, "expired")

    def apply(self, configuration: Configuration) -> None:
        """Forget the phones that this configuration has no room for: the oldest stay."""
        self.configuration = configuration
        for number in {binding.extension for binding in self.bindings}:
            extension = configuration.extensions.get(number)
            room = _room(extension) if extension is not None else 0
            for binding in _surplus(self.bindings.of(number), room):
                self._drop(binding, "configuration")

    def forget(self, extension: str, contact: str | None, reason: str) -> int:
        """Remove an extension's bindings, or the one with this contact; returns how many."""
        known = self.bindings.of(extension)
        doomed = [item for item in known if contact is None or is_same_contact(item.contact, contact)]
        for binding in doomed:
            self._drop(binding, reason)
        return len(doomed)

    # -- one REGISTER -------------------------------------------------------------------------------------------

    def _serve(self, arrived: RequestArrived, extension: Extension, wanted: RegisterRequest) -> None:
        known = self.bindings.of(extension.number)
        if wanted.changes:
            self._check_sequence(arrived, known, [contact.reg_id for contact in wanted.contacts])
        staying = [contact for contact in wanted.contacts if contact.expires_s > 0]
        for contact in staying:
            self._check_interval(contact)
            if contact.reg_id is not None:
                staying = settle_flows(arrived.request, wanted.path, staying)
        new = [self._binding(arrived, extension, contact, wanted.path) for contact in staying]
        room, phones = _room(extension), count_phones(new)
        if phones > room:
            raise RemoteError(403, f"{extension.number} Has Room For {room}, Not {phones} Phones")
        change = Change(arrived, extension, new, _leaving(known, wanted))
        # All of it or nothing: until the phones of others are settled, none of it is done (step 7).
        crowding = self._crowding(change)
        if crowding:
            self.crew.start(self._answer_crowded(change, crowding), "a registration")
        else:
            self._bind(change)

    def _check_sequence(self, arrived: RequestArrived, known: tuple[Binding, ...], flows: list[int | None]) -> None:
        """A REGISTER that is not newer than what its own Call-ID already did changes nothing (steps 6 and 7)."""
        number = arrived.request.cseq.number
        for binding in known:
            if number > binding.cseq or binding.call_id != readable(arrived.request.call_id):
                continue
            if not is_other_flow(binding, flows):
                raise RemoteError(500, "CSeq Out Of Order")

    def _check_interval(self, contact: RequestedContact) -> None:
        shortest = self.configuration.params["registration_min_s"]
        if contact.expires_s < shortest:
            raise RemoteError(423, reason_for(423))

    def _binding(
        self, arrived: RequestArrived, extension: Extension, contact: RequestedContact, path: tuple[str, ...]
    ) -> Binding:
        _, request, flow = arrived
        at = self.clock.wall()
        granted_s = min(contact.expires_s, self.configuration.params["registration_max_s"])
        known = [item.registered_at for item in self.bindings.of(extension.number) if item.contact == contact.uri]
        return Binding(
            extension=extension.number,
            contact=contact.uri,
            call_id=readable(request.call_id),
            cseq=request.cseq.number,
            transport=flow.transport,
            local_host=flow.local_host,
            local_port=flow.local_port,
            source_host=flow.remote_host,
            source_port=flow.remote_port,
            expires_at=at + timedelta(seconds=granted_s),
            registered_at=known[0] if known else at,
            q=contact.q,
            instance=contact.instance,
            user_agent=readable(request.headers.get("User-Agent") or "") or None,
            path=path,
            reg_id=contact.reg_id,
        )

    def _crowding(self, change: Change) -> list[Binding]:
        """The phones that leave no room for the new ones; empty when all may register."""
        if not change.new:
            return []
        others = [
            known
            for known in self.bindings.of(change.extension.number)
            if known.contact not in change.leaving and not any(is_same_phone(known, new) for new in change.new)
        ]
        is_crowded = others and count_phones(others) + count_phones(change.new) > _room(change.extension)
        return others if is_crowded else []

    async def _answer_crowded(self, change: Change, crowding: list[Binding]) -> None:
        """Settle it, and answer whatever happens: a transaction without an answer never ends."""
        arrived, extension = change.arrived, change.extension
        try:
            await self._settle_crowding(change, crowding)
        except RemoteError as error:
            self._refuse(arrived, extension.number, error.status, error.reason)
        finally:
            if not arrived.transaction.is_answered:
                self._respond(arrived, 500)
            self.endpoint.flush()

    async def _settle_crowding(self, change: Change, crowding: list[Binding]) -> None:
        """A phone that is gone makes room; one that lives keeps its place, unless the site says otherwise."""
        arrived, extension = change.arrived, change.extension
        if not extension.multi_device and self.configuration.params["second_phone"] == "replace":
            gone = crowding
        else:
            lives = await asyncio.gather(
                *(is_alive(item, self.agent, self.endpoint, self.clock, self.agent.token) for item in crowding)
            )
            gone = [item for item, alive in zip(crowding, lives, strict=True) if not alive]
        now = self.configuration.extensions.get(extension.number)
        if now is None:
            self._refuse(arrived, extension.number, 403, "Forbidden", note="extension removed meanwhile")
            return
        current = self.bindings.of(extension.number)
        self._check_sequence(arrived, current, [binding.reg_id for binding in change.new])
        for binding in gone:
            if binding in current:  # it may have registered again while it was asked
                self._drop(binding, "replaced")
        change = change._replace(extension=now)
        crowding = self._crowding(change)
        if crowding:
            at = host_port(crowding[0].source_host, crowding[0].source_port)
            self._refuse(arrived, extension.number, 403, f"{extension.number} Has Its Phone At {at}")
        else:
            self._bind(change)

    def _bind(self, change: Change) -> None:
        number, new, flow = change.extension.number, change.new, change.arrived.flow
        if new and flow.is_reliable:
            self.endpoint.vouch(flow, (new[0].expires_at - self.clock.wall()).total_seconds() + GRACE_S)
        known = {item.contact: item for item in self.bindings.of(number)}
        contacts = {binding.contact for binding in new}
        for item in known.values():
            if item.contact in change.leaving:
                self._drop(item, "removed")
            elif item.contact not in contacts and any(is_replaced(item, binding) for binding in new):
                self._drop(item, "replaced")
                self._move_calls(item, flow)
        for binding in new:
            before = known.get(binding.contact)
            if before is not None and before.registered_at != binding.registered_at:
                binding = replace(binding, registered_at=before.registered_at)
            self.bindings.put(binding)
            if before is None:
                self._welcome(binding)
            elif flow.is_reliable and _comes_from_elsewhere(before, binding):
                self._move_calls(before, flow)
                self._welcome(binding)
            for surplus in surplus_flows(self.bindings.of(number), binding):
                self._drop(surplus, "replaced")
        self._confirm(change)

    def _welcome(self, binding: Binding) -> None:
        """A phone registered anew, or over a new connection."""
        source = host_port(binding.source_host, binding.source_port)
        log.info("extension %s registered from %s", binding.extension, source)
        self.bus.publish(PhoneRegistered(self.clock.wall(), binding.extension, binding.contact, source))

    def _move_calls(self, gone: Binding, flow: Flow) -> None:
        """Calls of a phone that came back over another connection go on there."""
        if flow.is_reliable and gone.transport == flow.transport:
            local, remote = (gone.local_host, gone.local_port), (gone.source_host, gone.source_port)
            self.agent.move_sessions(Flow(gone.transport, *local, *remote), flow)

    def _confirm(self, change: Change) -> None:
        """The 200 with every binding that is in force now (step 8)."""
        at = self.clock.wall()
        fields = [("Contact", _contact_value(item, at)) for item in self.bindings.of(change.extension.number)]
        fields.append(("Date", _sip_date(int(at.timestamp()))))
        # A phone need not know of the Path that a proxy adds; one that does is told (RFC 3327 section 5.3).
        path = change.new[0].path if change.new else ()
        if path and "path" in change.arrived.request.headers.tokens("Supported"):
            fields += [("Path", value) for value in path]
        for binding in change.new:
            if binding.reg_id is not None:
                fields += GRANTED
        self._respond(change.arrived, 200, headers=tuple(fields))

    def _drop(self, binding: Binding, reason: str) -> None:
        self.bindings.drop(binding)
        log.info("extension %s is no longer registered at %s: %s", binding.extension, binding.contact, reason)
        self.bus.publish(PhoneUnregistered(self.clock.wall(), binding.extension, binding.contact, reason))

    def _refuse(self, arrived: RequestArrived, user: str, status: int, reason: str, *, note: str = "") -> None:
        source = arrived.flow.remote
        log.warning("REGISTER of %r from %s refused: %d %s", user, source, status, note or reason)
        self.bus.publish(RegistrationRefused(self.clock.wall(), user, source, status, note or reason))
        shortest = str(self.configuration.params["registration_min_s"])
        self._respond(arrived, status, reason, headers=(("Min-Expires", shortest),) if status == 423 else ())

    def _respond(
        self, arrived: RequestArrived, status: int, reason: str | None = None, *, headers: Fields = ()
    ) -> None:
        self.agent.respond(arrived, status, self.clock.now(), reason=reason, headers=headers)


def _comes_from_elsewhere(before: Binding, new: Binding) -> bool:
    return (before.source_host, before.source_port) != (new.source_host, new.source_port)


def _room(extension: Extension) -> int:
    return extension.max_devices if extension.multi_device else 1


def _surplus(phones: tuple[Binding, ...], room: int) -> list[Binding]:
    """The bindings beyond ``room`` phones, the newest of them; several contacts of one phone count once."""
    staying: list[Binding] = []
    surplus: list[Binding] = []
    for phone in sorted(phones, key=lambda item: item.registered_at):
        fits = count_phones([*staying, phone]) <= room
        (staying if fits else surplus).append(phone)
    return surplus


def _leaving(known: Iterable[Binding], wanted: RegisterRequest) -> frozenset[str]:
    """The contacts that a REGISTER takes back."""
    doomed = [contact.uri for contact in wanted.contacts if contact.expires_s == 0]
    if not doomed and not wanted.removes_all:
        return frozenset()
    return frozenset(
        item.contact
        for item in known
        if wanted.removes_all or any(is_same_contact(item.contact, contact) for contact in doomed)
    )


def _contact_value(binding: Binding, at: datetime) -> str:
    q = "" if binding.q == 1.0 else f";q={binding.q:.3g}"
    return f"<{binding.contact}>{q};expires={max(0, round((binding.expires_at - at).total_seconds()))}"


@lru_cache(maxsize=4)
def _sip_date(timestamp: int) -> str:
    return formatdate(timestamp, usegmt=True)
