"""What stands behind a row of people: one person with their phones, live."""

from __future__ import annotations

from datetime import datetime

from engine.core.views import OfficeView, PersonView
from engine.store.configuration import Role
from tui.keys import CARD, PERSON_CARD, bindings
from tui.screens.extension_form import edit_extension
from tui.screens.live_dialog import LiveDialog
from tui.texts import _
from tui.wording import LAMP_WORDS, call_text, clean, duration


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
            lines.append(clean(f"  {phone.user_agent or _('unknown phone')}"))
            address = clean(f"    {phone.source}   {phone.transport.lower()}   ")
            lines.append(address + _("refresh in {time}").format(time=left))
        if person.multi_device:
            lines += ["", _("may have several phones at once")]
        return clean(f"{person.number} {person.name or ''}".rstrip()), "\n".join(lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.console_app.may(Role.ADMIN) if action == "edit" else True

    async def action_edit(self) -> None:
        self.dismiss()
        await edit_extension(self.console_app, self._number)


def _lamp_line(person: PersonView, now: datetime, view: OfficeView) -> str:
    text = _(LAMP_WORDS[person.lamp])
    if person.since is not None:
        text += "  " + duration(max(0.0, (now - person.since).total_seconds()))
    call = next((call for call in view.calls if call.id == person.call), None)
    return f"{text}   {call_text(call)}" if call else text
