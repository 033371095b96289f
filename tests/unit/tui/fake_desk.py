"""A desk without an engine: an office of made-up people for tests and for a demo run."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.core.clock import Clock
from engine.core.errors import NotFoundError, RefusedError
from engine.core.ids import CallId
from engine.core.ladder import Ladder
from engine.core.views import (
    CallState,
    CallView,
    HealthView,
    Lamp,
    ListenerView,
    OfficeView,
    ParkView,
    PartyRole,
    PartyState,
    PartyView,
    PersonView,
    QualityView,
    RegistrationView,
)
from engine.desk.commands import (
    AddExtension,
    Command,
    ExtensionFields,
    ListExtensions,
    NewPassword,
    ReadLadder,
    ReleaseCall,
    RemoveExtension,
    ResetPassword,
    SaveLadder,
    SetExtension,
    ShowExtension,
)
from engine.desk.contacts import CallerView, ListContacts, LookUpCaller, SetNote
from engine.desk.deeds import Override, Record, Supervise
from engine.desk.dialling import SetNight
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    HoldCall,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.desk.services import RunService
from engine.pbx.rights import Asker, demand_role
from engine.store.configuration import DigestSecrets, Extension, Role
from engine.store.contacts import Contact
from tests.unit.desk.fakes import a_ladder

ADMIN = Asker("desk", Role.ADMIN)
VIEWER = Asker("guest", Role.VIEWER)
FRONT = Asker("front", Role.RECEPTIONIST, "106")
"""A receptionist with a phone."""
PASSWORD = "sesame"

PEOPLE = (
    ("101", "Anna Berger", Lamp.BUSY),
    ("102", "Bo Chen 陈波", Lamp.IDLE),
    ("103", "Eva Fuchs", Lamp.RINGING),
    ("104", "Chef", Lamp.DND),
    ("105", "Ida Lange", Lamp.HELD),
    ("106", "Max Reiter", Lamp.IDLE),
    ("107", "Nora Vogt", Lamp.BUSY),
    ("108", "Jan Kohl", Lamp.IDLE),
    ("109", "Werkstatt", Lamp.UNREGISTERED),
    ("110", "Lager", Lamp.HELD),
    ("111", "Konferenz", Lamp.UNREACHABLE),
    ("112", "王小明", Lamp.IDLE),
)


class FakeDesk:
    """Answers at once from memory; keeps every command it was asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.commands: list[tuple[str, Command]] = []
        self.logins = {"desk": ADMIN, "guest": VIEWER, "front": FRONT}
        self.callers = {
            "+49305550199": CallerView("+49305550199", "Weber GmbH", "asks for Anna", "103", clock.wall()),
            "+8675526021234": CallerView("+8675526021234", None, None, "102", clock.wall()),
            "+498912345": CallerView("+498912345", None, "wants an invoice", "101", clock.wall()),
        }
        """What is known of callers."""
        self.contacts = (Contact("+4922177", "Huber & Söhne"), Contact("+493034", "Bodo Heinz"))
        self.takes_orders = True
        """Whether the operator's phone answers by itself."""
        self.keys: dict[str, str] = {}
        self.extensions = {
            number: Extension(number=number, name=name, secrets=DigestSecrets("", ""), multi_device=number == "107")
            for number, name, _lamp in PEOPLE
        }
        self.view = OfficeView(revision=1, at=clock.wall(), office_name="Muster GmbH", health=health(clock.wall()))
        self.fail_next: Exception | None = None
        self.ladders: dict[str, Ladder] = {}
        """What is traced of each call."""

    def furnish(self) -> FakeDesk:
        """Fill the office with the people, calls and phones of the drawings."""
        now = self._clock.wall()
        calls = office_calls(now)
        inside = {number: call.id for call in calls for number in (call.caller, call.callee)}
        people = tuple(
            PersonView(
                number=number,
                name=name,
                lamp=lamp,
                since=now - timedelta(seconds=17 * place + 5),
                call=inside.get(number),
                devices=0 if lamp in (Lamp.UNREGISTERED, Lamp.UNREACHABLE) else 1,
            )
            for place, (number, name, lamp) in enumerate(PEOPLE)
        )
        for call in calls:
            self.ladders[call.id] = ladder_of(call)
        self.change(calls=calls, people=people, registrations=office_phones(now, people))
        return self

    def furnish_waiting(self) -> FakeDesk:
        """Let callers wait for the receptionist, and two be parked."""
        now = self._clock.wall()
        self.change(
            calls=(*waiting_calls(now), *self.view.calls),
            parked=(
                ParkView("1", CallId("9f01"), "+4989777", "Huber & Söhne", now - timedelta(seconds=31),
                         now + timedelta(seconds=29), "106"),
            ),
            people=tuple(
                replace(person, rights=frozenset({"overstep"})) if person.number in ("104", "107") else person
                for person in self.view.people
            ),
        )  # fmt: skip
        return self

    def change(self, **parts: Any) -> None:
        """Swap the view for one with these parts changed and the next revision."""
        with self._lock:
            self.view = replace(self.view, revision=self.view.revision + 1, at=self._clock.wall(), **parts)

    def submit(self, asker: Asker, command: Command) -> Future[Any]:
        self.commands.append((asker.name, command))
        answer: Future[Any] = Future()
        try:
            if self.fail_next is not None and not isinstance(command, (LookUpCaller, ListContacts)):
                error, self.fail_next = self.fail_next, None
                raise error
            answer.set_result(self._obey(asker, command))
        except Exception as error:
            answer.set_exception(error)
        return answer

    def current(self, asker: Asker) -> Asker | None:
        return asker if asker.is_owner else self.logins.get(asker.name)

    def verify_login(self, login: str, password: str) -> Future[Asker | None]:
        answer: Future[Asker | None] = Future()
        answer.set_result(self.logins.get(login) if password == PASSWORD else None)
        return answer

    def key_asker(self, login: str, openssh_public_key_line: str) -> Asker | None:
        known = self.keys.get(login)
        return self.logins.get(login) if known and known.split()[1] == openssh_public_key_line.split()[1] else None

    def _obey(self, asker: Asker, command: Command) -> Any:
        match command:
            case ListExtensions():
                return tuple(self.extensions[number] for number in sorted(self.extensions))
            case ShowExtension(number):
                return self._extension(number)
            case ReadLadder(target, first, limit):
                return self._told(target, first, limit)
            case SaveLadder(target):
                demand_role(asker, Role.RECEPTIONIST, "save a call's messages")
                return f"/var/lib/frontdesk/captures/call-{self._told(target, 0, 0).call}.pcap"
            case ReleaseCall(target, revision):
                demand_role(asker, Role.RECEPTIONIST, "release calls")
                return self._release(target, revision)
            case TakeCall() | HoldCall():
                demand_role(asker, Role.RECEPTIONIST, "answer a waiting call")
                return self.takes_orders
            case HandOn(target) | Consult(target) | CompleteConsult(target) | GoBackToCaller(target):
                demand_role(asker, Role.RECEPTIONIST, "transfer a call")
                return CallId(target)
            case ParkCaller(_target, slot):
                demand_role(asker, Role.RECEPTIONIST, "park a call")
                return slot or "2"
            case Supervise(_deed, target):
                demand_role(asker, Role.RECEPTIONIST, "come into a call")
                return CallId(target)
            case LookUpCaller(number):
                return self.callers.get(number, CallerView(number))
            case ListContacts(find):
                return tuple(each for each in self.contacts if find.casefold() in (each.name or "").casefold())
            case SetNote(number, note):
                demand_role(asker, Role.RECEPTIONIST, "note something on a caller")
                self.callers[number] = replace(self.callers.get(number, CallerView(number)), note=note or None)
                return None
            case Override() | RecallCaller() | DialNumber() | RunService() | SetNight():
                demand_role(asker, Role.RECEPTIONIST, "call a number")
                return None
            case Record():
                return "/var/lib/frontdesk/recordings/2026-03-02/093908-7f3a.wav"
        demand_role(asker, Role.ADMIN, "change the office")
        match command:
            case AddExtension(number, fields):
                self.extensions[number] = _changed(Extension(number, None, DigestSecrets("", "")), fields)
                person = PersonView(number, fields.name, Lamp.UNREGISTERED, None)
                self.change(people=(*self.view.people, person))
                return None if fields.password else NewPassword(number, "k7mw-q2xa-9hdt-vb3e")
            case SetExtension(number, fields):
                self.extensions[number] = _changed(self._extension(number), fields)
                self.change()
                return None
            case ResetPassword(number):
                self._extension(number)
                return NewPassword(number, "p4re-x8zu-7nck-wm2a")
            case RemoveExtension(number):
                del self.extensions[self._extension(number).number]
                self.change(people=tuple(person for person in self.view.people if person.number != number))
                return None
        raise RefusedError(f"{type(command).__name__} is unknown here")

    def _extension(self, number: str) -> Extension:
        if number not in self.extensions:
            raise NotFoundError(f"there is no extension {number}")
        return self.extensions[number]

    def _told(self, target: str, first: int, limit: int) -> Ladder:
        ladder = self.ladders.get(target)
        if ladder is None:
            raise NotFoundError(f"the messages of call {target} are no longer there")
        return replace(ladder, messages=ladder.messages[first : first + limit])

    def _release(self, target: str, revision: int | None) -> CallId:
        call = next((call for call in self.view.calls if call.id == target), None)
        if call is None:
            raise NotFoundError("this call has ended already")
        if revision is not None and revision != call.revision:
            raise RefusedError("the call has changed meanwhile", "look again and decide anew")
        self.change(calls=tuple(other for other in self.view.calls if other is not call))
        return call.id


def _changed(extension: Extension, fields: ExtensionFields) -> Extension:
    names = ("name", "multi_device", "max_devices", "max_calls", "hold", "codecs", "email")
    given = {name: value for name in names if (value := getattr(fields, name)) is not None}
    emptied: dict[str, Any] = {name: () if name == "codecs" else None for name in fields.clear}
    return replace(extension, **given, **emptied)


def health(now: datetime, warnings: tuple[str, ...] = ()) -> HealthView:
    return HealthView(
        version="0.1.0", pid=4711, started_at=now - timedelta(hours=3), media_backend="native", media_sessions=4,
        listeners=(ListenerView("udp", "192.0.2.10:5060"), ListenerView("ssh", "192.0.2.10:8022")),
        loop_delay_p99_ms=1.4, loop_delay_max_ms=6.2, warnings=warnings,
    )  # fmt: skip


def call_view(
    name: str,
    caller: str,
    callee: str,
    started: datetime,
    state: CallState = CallState.TALKING,
    *,
    names: tuple[str | None, str | None] = (None, None),
    mos: float | None = None,
    trunk_in: str | None = None,
    trunk_out: str | None = None,
    revision: int = 1,
) -> CallView:
    quality = QualityView(mos, max(0.0, 4.4 - mos) * 2, 3.0) if mos else None
    is_up = state in (CallState.TALKING, CallState.HELD)
    party_state = {CallState.RINGING: PartyState.RINGING, CallState.HELD: PartyState.HELD}.get(
        state, PartyState.TALKING
    )
    return CallView(
        id=CallId(name), state=state, caller=caller, callee=callee, caller_name=names[0], callee_name=names[1],
        started_at=started, answered_at=started if is_up else None,
        parties=(
            PartyView(None if trunk_in else caller, PartyRole.CALLER, "PCMA", party_state, quality),
            PartyView(None if trunk_out else callee, PartyRole.CALLEE, "PCMA", party_state, quality),
        ),
        quality=quality, trunk_in=trunk_in, trunk_out=trunk_out, revision=revision,
    )  # fmt: skip


def ladder_of(call: CallView) -> Ladder:
    """The sample ladder as the messages of this call."""
    told = a_ladder(call.id, call.started_at)
    names = (call.caller_name, call.callee_name)
    numbers = (call.caller, call.callee)
    return replace(
        told,
        caller=call.caller,
        callee=call.callee,
        answered_at=call.answered_at,
        state=call.state,
        legs=tuple(
            replace(leg, number=number, name=name, state=party.state)
            for leg, number, name, party in zip(told.legs, numbers, names, call.parties, strict=True)
        ),
    )


def office_calls(now: datetime) -> tuple[CallView, ...]:
    def ago(seconds: int) -> datetime:
        return now - timedelta(seconds=seconds)

    return (
        call_view("7f3a", "101", "+49894711", ago(134), names=("Anna Berger", None), mos=4.4, trunk_out="telekom"),
        call_view(
            "81c2", "+49305550100", "103", ago(6), CallState.RINGING, names=("Weber GmbH", "Eva Fuchs"),
            trunk_in="telekom",
        ),
        call_view("82d0", "105", "110", ago(21), CallState.HELD, names=("Ida Lange", "Lager"), mos=4.4),
        call_view(
            "6b11", "107", "+867552602", ago(598), names=("Nora Vogt", "深圳办公室"), mos=3.4, trunk_out="telekom"
        ),
    )  # fmt: skip


def waiting_calls(now: datetime) -> tuple[CallView, ...]:
    """Three callers for the receptionist: one that waits long, one that rings, one that came back."""

    def waiting(name: str, number: str, who: str | None, seconds: int, **fields: Any) -> CallView:
        at = now - timedelta(seconds=seconds)
        call = call_view(name, number, "4400", at, CallState.RINGING, names=(who, None), trunk_in="telekom")
        return replace(call, waits_for=("106",), waits_since=at, **fields)

    return (
        waiting("a001", "+49305550199", "Weber GmbH", 42),
        waiting("a002", "+49171234567", None, 12, group="4401"),
        waiting("a003", "anonymous", None, 5),
        waiting("a004", "+8675526021234", "深圳办公室", 2, returned="102"),
    )


def own_talk(now: datetime, *, asks: bool = False) -> CallView:
    """The receptionist talks with a caller, or asks somebody meanwhile."""
    call = call_view("b001", "+498912345", "4400", now - timedelta(seconds=75), names=("Kanzlei Roth", None))
    caller, callee = call.parties
    if not asks:
        return replace(call, parties=(caller, replace(callee, extension="106")), trunk_in="telekom")
    held = replace(caller, state=PartyState.HELD)
    mine = replace(callee, extension="106", role=PartyRole.OPERATOR)
    return replace(
        call, state=CallState.HELD, callee="102", parties=(held, mine, replace(callee, extension="102")),
        trunk_in="telekom",
    )  # fmt: skip


def office_phones(now: datetime, people: tuple[PersonView, ...]) -> tuple[RegistrationView, ...]:
    agents = ("Snom D785", "Yealink T54W", "baresip 3.10", "Linphone Desktop 5.2", None)
    return tuple(
        RegistrationView(
            extension=person.number,
            contact=f"sip:{person.number}@192.0.2.{20 + place}:5060",
            device=None,
            source=f"192.0.2.{20 + place}:5060",
            transport="UDP",
            expires_at=now + timedelta(seconds=95 + 311 * place),
            user_agent=agents[place % len(agents)],
        )
        for place, person in enumerate(people)
        if person.devices
    )
