"""The linear console, for screen readers and braille lines: sentences come one after the other, commands are typed.

Nothing is drawn, moved or coloured. What happens is said once; whoever wants to know more asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from engine.core.clock import Clock
from engine.core.deeds import Deed
from engine.core.errors import RefusedError
from engine.core.ids import CallId
from engine.core.views import CallView
from engine.desk.commands import Command, ReleaseCall
from engine.desk.deeds import Override, Supervise
from engine.desk.dialling import SetNight
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.pbx.rights import Asker
from engine.store.outside import Night
from tui.door import DeskDoor
from tui.refusals import refusal_text, translated
from tui.screens.operator_deeds import own_call
from tui.texts import N_, _, plural
from tui.wording import CALL_WORDS, LAMP_WORDS, call_text, clean, duration, name_with_number

LOOK_S = 0.5
"""How often the office is looked at."""
LONGEST_LINE = 200

COMMANDS = (
    ("waiting", N_("waiting: who waits for you")),
    ("answer", N_("answer: take who waits longest")),
    ("calls", N_("calls: the calls there are")),
    ("people", N_("people NAME: who is free, busy or away")),
    ("dial", N_("dial NUMBER: your phone rings, then the number is called")),
    ("transfer", N_("transfer NUMBER: hand your caller on")),
    ("undo", N_("undo: fetch back whom you have just handed on")),
    ("ask", N_("ask NUMBER: talk with somebody first, your caller waits")),
    ("connect", N_("connect: your caller with whom you have asked")),
    ("back", N_("back: to your caller")),
    ("park", N_("park: your caller waits with music")),
    ("release", N_("release: end your call")),
    ("barge", N_("barge NUMBER: come into a call")),
    ("listen", N_("listen NUMBER: hear a call, heard by nobody")),
    ("override", N_("override NUMBER: reach somebody all the same")),
    ("night", N_("night on, off or auto: the night switch")),
    ("leave", N_("leave: close this console; the office goes on")),
)
"""Each command and how it is explained."""
_NEEDS_NUMBER = ("dial", "transfer", "ask", "barge", "listen", "override")


class LinearConsole:
    """One console in sentences. ``say`` takes one line at a time, without its end."""

    def __init__(self, desk: DeskDoor, asker: Asker, clock: Clock, say: Callable[[str], None]) -> None:
        self._desk = desk
        self._login = asker
        self._clock = clock
        self._say = say
        self._revision = -1
        self._waiting: dict[CallId, CallView] = {}
        self._own: CallView | None = None
        self._warnings: tuple[str, ...] = ()
        self.is_left = False

    def greet(self) -> None:
        office = self._desk.view.office_name
        self._say(_("Frontdesk, {office}. Type help for what can be typed.").format(office=clean(office)))
        self.look()
        if not self._waiting:
            self._say(_("Nobody waits for you."))

    def look(self) -> None:
        """Say what has changed; call it every ``LOOK_S`` seconds."""
        asker = self._desk.current(self._login)
        if asker is None:
            self._say(_("Your login has been removed."))
            self.is_left = True
            return
        view = self._desk.view
        if view.revision == self._revision:
            return
        self._revision = view.revision
        own = asker.extension
        waiting = {call.id: call for call in view.calls if own is not None and own in call.waits_for}
        for call in waiting.values():
            if call.id not in self._waiting and call.caller != own:
                self._say(_("{who} waits for you.").format(who=self._who(call)))
        gone = [call for name, call in self._waiting.items() if name not in waiting]
        mine = own_call(view.calls, own)
        for call in gone:
            if mine is None or mine.id != call.id:
                self._say(_("{who} waits no more.").format(who=self._who(call)))
        self._tell_own(mine, own)
        self._waiting, self._own = waiting, mine
        for warning in view.health.warnings:
            if warning not in self._warnings:
                self._say(_("Alarm: {text}").format(text=translated(warning)))
        self._warnings = view.health.warnings

    def _tell_own(self, mine: CallView | None, own: str | None) -> None:
        before = self._own
        if mine is not None and (before is None or before.id != mine.id):
            self._say(_("You are in a call with {who}.").format(who=self._others(mine, own)))
        elif mine is None and before is not None:
            self._say(_("Your call is over."))
        elif mine is not None and before is not None and mine.state is not before.state:
            self._say(_("Your call: {state}.").format(state=_(CALL_WORDS[mine.state])))

    # -- what is typed ------------------------------------------------------------------------------------------

    async def obey(self, line: str) -> None:
        """Do what a line asks and say what came of it; never raises what the office refuses."""
        word, _space, rest = line.strip()[:LONGEST_LINE].partition(" ")
        word, rest = word.lower(), rest.strip()
        if not word:
            return
        matches = [name for name, _text in (*COMMANDS, ("help", "")) if name.startswith(word)]
        name = word if word in matches else matches[0] if len(matches) == 1 else ""
        if not name:
            self._say(_("There is no command '{word}'. Type help.").format(word=clean(word)))
        elif name in _NEEDS_NUMBER and not rest:
            self._say(_("Say which number: {command} 102").format(command=name))
        else:
            try:
                await self._do(name, rest)
            except RefusedError as error:
                self._say(refusal_text(error))

    async def _do(self, name: str, rest: str) -> None:
        match name:
            case "help":
                for _name, text in COMMANDS:
                    self._say(_(text))
            case "leave":
                self.is_left = True
            case "waiting":
                self._list_waiting()
            case "calls":
                self._list_calls()
            case "people":
                self._list_people(rest)
            case "answer":
                await self._answer()
            case "dial":
                await self._ask(DialNumber(rest))
                self._say(_("Your phone rings, then {number} is called.").format(number=clean(rest)))
            case "undo":
                await self._ask(RecallCaller())
                self._say(_("The caller comes back to your phone."))
            case "barge" | "listen":
                await self._ask(Supervise(Deed.BARGE_IN if name == "barge" else Deed.LISTEN, rest))
                self._say(_("Your phone is in the call once it answers."))
            case "override":
                await self._ask(Override(rest))
                self._say(_("Your phone rings to reach {number}.").format(number=clean(rest)))
            case "night":
                await self._turn_night(rest)
            case _:
                await self._with_own_call(name, rest)

    async def _with_own_call(self, name: str, rest: str) -> None:
        """What is done with the call that the operator is in."""
        asker = self._asker()
        call = own_call(self._desk.view.calls, asker.extension)
        if call is None:
            raise RefusedError(_("You are in no call."))
        deeds: dict[str, tuple[Command, str]] = {
            "transfer": (HandOn(call.id, rest), N_("Handed on to {number}; undo fetches the caller back.")),
            "ask": (Consult(call.id, rest), N_("{number} is called, your caller waits.")),
            "connect": (CompleteConsult(call.id), N_("They are connected.")),
            "back": (GoBackToCaller(call.id), N_("You are back with your caller.")),
            "park": (ParkCaller(call.id), N_("Your caller waits with music.")),
            "release": (ReleaseCall(call.id), N_("Released.")),
        }
        command, said = deeds[name]
        await self._ask(command)
        self._say(_(said).format(number=clean(rest)))

    async def _answer(self) -> None:
        waiting = self._longest_first()
        if not waiting:
            raise RefusedError(_("Nobody waits for you."))
        by_itself = await self._ask(TakeCall(waiting[0].id))
        who = self._who(waiting[0])
        self._say(
            (_("{who} is taken.") if by_itself else _("Lift the handset to talk with {who}.")).format(who=who)
        )

    async def _turn_night(self, rest: str) -> None:
        if rest not in {each.value for each in Night}:
            raise RefusedError(_("Say night on, night off or night auto."))
        await self._ask(SetNight(Night(rest)))
        self._say(_("The night switch is turned."))

    # -- lists --------------------------------------------------------------------------------------------------

    def _list_waiting(self) -> None:
        at = self._clock.wall()
        waiting = self._longest_first()
        self._say(plural("{n} caller waits for you.", "{n} callers wait for you.", len(waiting)))
        for call in waiting:
            time = duration((at - (call.waits_since or call.started_at)).total_seconds())
            self._say(
                _("{who}, for {time}, dialled {number}").format(who=self._who(call), time=time, number=call.callee)
            )

    def _list_calls(self) -> None:
        at, calls = self._clock.wall(), self._desk.view.calls
        self._say(plural("{n} call.", "{n} calls.", len(calls)))
        for call in calls:
            self._say(f"{clean(call_text(call))}, {_(CALL_WORDS[call.state])}, {duration(call.duration_s(at))}")

    def _list_people(self, rest: str) -> None:
        wanted = rest.lower()
        found = [each for each in self._desk.view.people if wanted in f"{each.number} {each.name or ''}".lower()]
        self._say(plural("{n} extension.", "{n} extensions.", len(found)))
        for each in found:
            self._say(f"{clean(name_with_number(each.number, each.name))}, {_(LAMP_WORDS[each.lamp])}")

    def _longest_first(self) -> list[CallView]:
        own = self._asker().extension
        waiting = [call for call in self._desk.view.calls if own in call.waits_for and call.caller != own]
        return sorted(waiting, key=lambda call: call.waits_since or call.started_at)

    # -- helpers ------------------------------------------------------------------------------------------------

    def _asker(self) -> Asker:
        return self._desk.current(self._login) or self._login

    async def _ask(self, command: Command) -> Any:
        return await asyncio.wrap_future(self._desk.submit(self._asker(), command))

    def _who(self, call: CallView) -> str:
        return clean(name_with_number(call.caller, call.caller_name))

    @staticmethod
    def _others(call: CallView, own: str | None) -> str:
        if call.caller != own:
            return clean(name_with_number(call.caller, call.caller_name))
        return clean(name_with_number(call.callee, call.callee_name))
