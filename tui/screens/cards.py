"""What stands behind a row: one call with its parties, one person with their phones; both live."""

from __future__ import annotations

from datetime import datetime

from engine.core.ids import CallId
from engine.core.views import CallView, OfficeView, PartyView, PersonView
from engine.store.configuration import Role
from tui.keys import CALL_CARD, CARD, PERSON_CARD, bindings
from tui.screens.extension_form import edit_extension
from tui.screens.live_dialog import LiveDialog
from tui.screens.release import ask_release
from tui.texts import _
from tui.wording import CALL_WORDS, LAMP_WORDS, PARTY_WORDS, ROLE_WORDS, call_text, clean, duration, fit


class CallCard(LiveDialog):
    """One call, live; when it ends the card says so and stays."""

    BINDINGS = bindings(CALL_CARD, CARD)

    def __init__(self, call: CallId) -> None:
        super().__init__()
        self._call = call
        self._last: CallView | None = None
        self._is_over = False

    def describe(self, view: OfficeView, now: datetime) -> tuple[str, str]:
        call = next((call for call in view.calls if call.id == self._call), None)
        if self._is_over != (call is None):
            self._is_over = call is None
            self.refresh_bindings()
        call = self._last = call or self._last
        if call is None:
            return _("Call"), _("this call has ended")
        state = _("ended") if self._is_over else _(CALL_WORDS[call.state])
        lines = [f"{state}   {duration(call.duration_s(now)) if not self._is_over else ''}", ""]
        lines += [_party_line(party) for party in call.parties]
        through = [clean(name) for name in (call.trunk_in, call.trunk_out, call.service) if name]
        if through:
            lines += ["", _("through {names}").format(names=", ".join(through))]
        return _("Call {id}").format(id=call.id) + "  " + call_text(call), "\n".join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) and not (action == "release" and self._is_over)

    def action_release(self) -> None:
        if self._last is not None and not self._is_over:
            ask_release(self.console_app, self._last)


class PersonCard(LiveDialog):
    """One extension: its lamp, its call, its registered phones."""

    BINDINGS = bindings(PERSON_CARD, CARD)

    def __init__(self, number: str) -> None:
        super().__init__()
        self._number = number

    def describe(self, view: OfficeView, now: datetime) -> tuple[str, str]:
        person = next((person for person in view.people if person.number == self._number), None)
        if person is None:
            return self._number, _("this extension has been removed")
        lines = [_lamp_line(person, now, view)]
        phones = [phone for phone in view.registrations if phone.extension == person.number]
        lines += ["", _("Registered phones") if phones else _("no phone is registered")]
        for phone in phones:
            left = duration(max(0.0, (phone.expires_at - now).total_seconds()))
            lines.append(
                clean(f"  {phone.user_agent or _('unknown phone')}   {phone.source}   {phone.transport.lower()}   ")
                + _("refresh in {time}").format(time=left)
            )
        if person.multi_device:
            lines += ["", _("may have several phones at once")]
        return clean(f"{person.number} {person.name or ''}".rstrip()), "\n".join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.console_app.may(Role.ADMIN) if action == "edit" else True

    async def action_edit(self) -> None:
        self.dismiss()
        await edit_extension(self.console_app, self._number)


def _party_line(party: PartyView) -> str:
    who = party.extension or _("outside")
    parts = [
        fit(who, 10),
        fit(_(ROLE_WORDS[party.role]), 11),
        fit(_(PARTY_WORDS[party.state]), 9),
        fit(party.codec or "", 6),
    ]
    if party.quality is not None:
        parts.append(
            _("MOS {mos:.1f}   loss {loss:.1f} %   jitter {jitter:.0f} ms").format(
                mos=party.quality.mos, loss=party.quality.loss_percent, jitter=party.quality.jitter_ms
            )
        )
    return " ".join(parts).rstrip()


def _lamp_line(person: PersonView, now: datetime, view: OfficeView) -> str:
    text = _(LAMP_WORDS[person.lamp])
    if person.since is not None:
        text += "  " + duration(max(0.0, (now - person.since).total_seconds()))
    call = next((call for call in view.calls if call.id == person.call), None)
    return f"{text}   {call_text(call)}" if call else text
