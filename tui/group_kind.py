"""Groups, and where an extension's calls go instead, as the console lists and types them."""

from __future__ import annotations

from engine.desk.commands import Command
from engine.desk.dialling import Checked
from engine.desk.services import (
    AddGroup,
    CheckDiversion,
    CheckGroup,
    DiversionFields,
    GroupFields,
    GroupView,
    ListGroups,
    RemoveGroup,
    SetDiversion,
    SetGroup,
)
from engine.store.configuration import Extension, Role
from engine.store.services import DEFAULT_TIMEOUT_S, GroupKind, HuntOrder
from tui.kind import Ask, Field, Kind, Values, checked, list_of, text_of, whole_of, word_of
from tui.texts import N_, _
from tui.widgets.columns import Column

KIND_WORDS = {
    GroupKind.RING: N_("all ring"),
    GroupKind.HUNT: N_("one after the other"),
    GroupKind.PICKUP: N_("answer for each other"),
}
ORDER_WORDS = {
    HuntOrder.LINEAR: N_("as listed"),
    HuntOrder.LONGEST_IDLE: N_("longest idle first"),
    HuntOrder.ROUND_ROBIN: N_("in turn"),
    HuntOrder.RANDOM: N_("at random"),
}


class Groups(Kind):
    title = N_("Groups")
    new_title = N_("New group")
    empty = N_("no groups yet: a group lets one number ring several extensions")
    remove_text = N_("Its members stay; running calls go on.")
    columns = (
        Column(6, grow=1, most=15, title=N_("Number")),
        Column(12, usual=20, grow=1, most=24, title=N_("Kind")),
        Column(16, usual=24, grow=4, most=160, title=N_("Members")),
        Column(12, grow=1, most=20, title=N_("Order"), drop=2),
        Column(9, title=N_("Rings for"), to_right=True, drop=1),
    )
    fields = (
        Field("number", N_("Number"), N_("such as 600")),
        Field("kind", N_("Kind"), "ring, hunt, pickup"),
        Field("members", N_("Members"), N_("such as 101, 102; in this order")),
        Field("order", N_("Order of a hunt"), "linear, longest-idle, round-robin, random"),
        Field("timeout", N_("Rings for"), N_("seconds; of a hunt, each member")),
    )
    listing = ListGroups
    fixed = frozenset({"number"})

    def key(self, item: GroupView) -> str:
        return item.number

    def name(self, item: GroupView) -> str:
        return _("group {number}").format(number=item.number)

    def cells(self, item: GroupView) -> tuple[str, ...]:
        is_hunt, rings = item.kind is GroupKind.HUNT, item.kind is not GroupKind.PICKUP
        return (
            item.number,
            _(KIND_WORDS[item.kind]),
            ", ".join(item.members),
            _(ORDER_WORDS[item.order]) if is_hunt else "",
            _("{n} s").format(n=item.timeout) if rings else "",
        )

    def values(self, item: GroupView | None) -> dict[str, str | bool]:
        group = item or GroupView("", GroupKind.RING, (), HuntOrder.LINEAR, DEFAULT_TIMEOUT_S)
        return {
            "number": group.number,
            "kind": group.kind.value,
            "members": ", ".join(group.members),
            "order": group.order.value,
            "timeout": str(group.timeout),
        }

    async def check(self, ask: Ask, values: Values, item: GroupView | None) -> Checked:
        typed = checked(
            ("kind", lambda: word_of(values, "kind", GroupKind)),
            ("order", lambda: word_of(values, "order", HuntOrder)),
            ("timeout", lambda: whole_of(values, "timeout")),
        )
        if typed.flaws:
            return typed
        number = item.number if item else text_of(values, "number")
        answer: Checked = await ask(CheckGroup(number, self._fields(values), is_new=item is None))
        return answer

    def save(self, values: Values, item: GroupView | None) -> Command:
        fields = self._fields(values)
        return SetGroup(item.number, fields) if item else AddGroup(text_of(values, "number"), fields)

    def remove(self, item: GroupView) -> Command:
        return RemoveGroup(item.number)

    def _fields(self, values: Values) -> GroupFields:
        return GroupFields(
            kind=word_of(values, "kind", GroupKind),
            members=list_of(values, "members") or (),
            order=word_of(values, "order", HuntOrder),
            timeout=whole_of(values, "timeout"),
        )


class Diversion(Kind):
    """Where an extension's calls go instead: a form alone, whose item is the ``Extension``."""

    title = N_("Forwarding")
    fields = (
        Field("always", N_("Always to"), N_("empty: it rings")),
        Field("busy", N_("When busy, to"), N_("empty: the caller hears busy")),
        Field("no_answer", N_("Without an answer, to"), N_("empty: it rings on")),
        Field("unreachable", N_("Without a phone, to"), N_("empty: not forwarded")),
        Field("is_dnd", N_("Do not disturb"), is_tick=True),
    )
    needs = Role.RECEPTIONIST

    def key(self, item: Extension) -> str:
        return item.number

    def name(self, item: Extension) -> str:
        return _("Calls for {number}").format(number=f"{item.number} {item.name or ''}".rstrip())

    def values(self, item: Extension | None) -> dict[str, str | bool]:
        assert item is not None
        return {
            "always": item.forward_always or "",
            "busy": item.forward_busy or "",
            "no_answer": item.forward_no_answer or "",
            "unreachable": item.forward_unreachable or "",
            "is_dnd": item.dnd,
        }

    async def check(self, ask: Ask, values: Values, item: Extension | None) -> Checked:
        assert item is not None
        answer: Checked = await ask(CheckDiversion(item.number, self._fields(values, item)))
        return answer

    def save(self, values: Values, item: Extension | None) -> Command:
        assert item is not None
        return SetDiversion(item.number, self._fields(values, item))

    def _fields(self, values: Values, item: Extension) -> DiversionFields:
        """What differs alone: a forward that stands stays, whatever right was taken away since."""
        before = self.values(item)
        changed = {
            name: text_of(values, name)
            for name in ("always", "busy", "no_answer", "unreachable")
            if text_of(values, name) != before[name]
        }
        is_dnd = bool(values["is_dnd"])
        return DiversionFields(**changed, is_dnd=is_dnd if is_dnd != before["is_dnd"] else None)
