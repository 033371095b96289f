"""What leads to services, and the services themselves, as the console lists and types them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.desk.commands import Command
from engine.desk.dialling import Checked
from engine.desk.services import (
    AddTrigger,
    CheckTrigger,
    ListServices,
    ListTriggers,
    RemoveService,
    RemoveTrigger,
    ServiceView,
    SetTrigger,
    TriggerView,
)
from engine.store.services import ANY_NUMBER, Point
from tui.kind import Ask, Field, Kind, TextLine, Values, checked, text_of, word_of
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.wording import stamp_text

POINT_WORDS = {
    Point.NUMBER: N_("is dialled"),
    Point.ALWAYS: N_("before it rings"),
    Point.BUSY: N_("busy"),
    Point.NO_ANSWER: N_("no answer"),
    Point.UNREACHABLE: N_("no phone"),
    Point.CALL_START: N_("begins a call"),
    Point.CALL_END: N_("has ended a call"),
    Point.SCHEDULE: N_("at its times"),
}


class Triggers(Kind):
    title = N_("What leads to services")
    new_title = N_("New trigger")
    empty = N_("nothing leads to a service yet: give one a code, such as *88*")
    columns = (
        Column(4, title=N_("No."), to_right=True),
        Column(8, usual=10, grow=1, most=34, title=N_("Number")),
        Column(12, grow=1, most=24, title=N_("When it")),
        Column(12, usual=16, grow=1, most=40, title=N_("Service")),
        Column(12, usual=16, grow=4, most=120, title=N_("Settings"), drop=1),
        Column(8, grow=1, most=24, title=N_("Plan"), drop=2),
    )
    fields = (
        Field("number", N_("Number"), N_("a code such as *88*, or an extension")),
        Field("service", N_("Service"), N_("such as voicemail")),
        Field("point", N_("When"), ", ".join(Point)),
        Field("settings", N_("Settings"), N_("such as greeting=hello; language=en")),
        Field("plan", N_("Only in dial plan"), N_("empty: in each")),
    )
    listing = ListTriggers

    def key(self, item: TriggerView) -> str:
        return str(item.id)

    def name(self, item: TriggerView) -> str:
        return _("trigger {id} ({number})").format(id=item.id, number=item.number)

    def cells(self, item: TriggerView) -> tuple[str, ...]:
        number = _("every one") if item.number == ANY_NUMBER else item.number
        point, settings = _(POINT_WORDS[item.point]), "; ".join(item.settings)
        return str(item.id), number, point, item.service, settings, item.plan or ""

    def values(self, item: TriggerView | None) -> dict[str, str | bool]:
        row = item or TriggerView(0, "", "", Point.NUMBER, None, ())
        return {
            "number": row.number,
            "service": row.service,
            "point": row.point.value,
            "settings": "; ".join(row.settings),
            "plan": row.plan or "",
        }

    async def check(self, ask: Ask, values: Values, item: TriggerView | None) -> Checked:
        typed = checked(("point", lambda: word_of(values, "point", Point)))
        if typed.flaws:
            return typed
        answer: Checked = await ask(CheckTrigger(*_typed(values), id=item.id if item else None))
        return answer

    def save(self, values: Values, item: TriggerView | None) -> Command:
        return SetTrigger(item.id, *_typed(values)) if item else AddTrigger(*_typed(values))

    def remove(self, item: TriggerView) -> Command:
        return RemoveTrigger(item.id)


class Services(Kind):
    title = N_("Services")
    empty = N_("there is no service")
    columns = (
        Column(12, usual=18, grow=1, most=40, title=N_("Service")),
        Column(8, title=N_("State")),
        Column(7, title=N_("Text")),
        Column(14, usual=24, grow=3, most=60, title=N_("Led to by"), drop=1),
        Column(16, grow=4, most=120, title=N_("Last error"), drop=2),
    )
    listing = ListServices
    is_fixed = True
    has_detail = True
    remove_text = N_("The office's own text goes; a service that was shipped is then as it was shipped.")

    def key(self, item: ServiceView) -> str:
        return item.name

    def name(self, item: ServiceView) -> str:
        return _("service {name}").format(name=item.name)

    def cells(self, item: ServiceView) -> tuple[str, ...]:
        state = _("broken") if item.error else _("failed") if item.failure else _("well")
        return (
            item.name,
            state,
            _("own") if item.is_own else _("shipped"),
            ", ".join(item.triggers),
            item.error or item.failure or "",
        )

    def inks(self, item: ServiceView) -> Mapping[int, str]:
        state = "alarm" if item.error else "key" if item.failure else "good"
        return {1: state, 3: "quiet", 4: "alarm" if item.error else "text"}

    def detail(self, item: ServiceView) -> Sequence[TextLine]:
        told = _("the office's own: {file}") if item.is_own else _("as shipped: {file}")
        lines: list[TextLine] = [((told.format(file=f"lua/services/{item.name}.lua"), "quiet"),)]
        if item.error:
            lines.append(((_("does not compile: {error}").format(error=item.error), "alarm"),))
            lines.append(((_("The text before it, if there was one, goes on being used."), "quiet"),))
        if item.failure and item.failed_at:
            when = stamp_text(item.failed_at)
            told = _("failed in call {call}, {when}: {error}")
            lines.append(((told.format(call=item.failed_call, when=when, error=item.failure), "alarm"),))
            lines += [((f"  {step}", "text"),) for step in item.trace.partition(": ")[2].split(" < ") if step]
        if not item.error and not item.failure:
            lines.append(((_("compiles, and has not failed since the engine started"), "good"),))
        if not item.triggers:
            lines.append(((_("nothing leads to it: the key l, then n, gives it a number"), "quiet"),))
        return lines

    def remove(self, item: ServiceView) -> Command:
        return RemoveService(item.name)

    def restore(self, item: ServiceView) -> Command | None:
        return None

    def values(self, item: ServiceView | None) -> dict[str, str | bool]:
        return {}


def _typed(values: Values) -> tuple[str, str, Point, str | None, tuple[str, ...]]:
    settings = tuple(part.strip() for part in re.split(r"[;\n]", text_of(values, "settings")) if part.strip())
    point: Point = word_of(values, "point", Point)
    return text_of(values, "number"), text_of(values, "service"), point, text_of(values, "plan") or None, settings
