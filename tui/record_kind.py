"""The calls that were, as the console lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.views import CallRecord, PersonView, ReleasedBy
from engine.desk.commands import ListRecords
from tui.causes import cause_words
from tui.kind import Past, TextLine
from tui.rows import POOR_MOS
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.wording import duration, name_with_number, stamp_text

RELEASED_WORDS = {
    ReleasedBy.CALLER: N_("the caller"),
    ReleasedBy.CALLEE: N_("the one called"),
    ReleasedBy.SYSTEM: N_("the office"),
    ReleasedBy.OPERATOR: N_("an operator"),
}


class Records(Past):
    """Finished calls, with whose numbers they are."""

    title = N_("Call history")
    empty = N_("no calls yet: every call that ends is listed here")
    columns = (
        Column(11, usual=11, title=N_("Began")),
        Column(2),
        Column(10, usual=16, grow=2, most=40, title=N_("From")),
        Column(10, usual=16, grow=2, most=40, title=N_("To")),
        Column(7, title=N_("Talked"), to_right=True),
        Column(9, usual=12, grow=1, most=40, title=N_("Outcome")),
        Column(8, grow=1, most=24, title=N_("Trunk"), drop=1),
        Column(5, title=N_("MOS"), to_right=True, drop=2),
        Column(4, usual=8, grow=1, most=24, title=N_("Recorded"), drop=3),
    )

    def __init__(self, asked: ListRecords) -> None:
        super().__init__(asked)
        self.signs = ("<-", "->", "<>")
        """In, out and inside, as this terminal can draw them."""
        self.names: Mapping[str, str] = {}

    def know(self, people: Sequence[PersonView]) -> None:
        """Take over whose the numbers are."""
        self.names = {person.number: person.name for person in people if person.name}

    def key(self, item: CallRecord) -> str:
        return f"{item.id} {item.started_at.timestamp()}"

    def name(self, item: CallRecord) -> str:
        return f"{self.who(item.caller)} → {self.who(item.callee)}"

    def who(self, number: str) -> str:
        return name_with_number(number, self.names.get(number))

    def cells(self, item: CallRecord) -> tuple[str, ...]:
        arrow = self.signs[0] if item.trunk_in else self.signs[1] if item.trunk_out else self.signs[2]
        is_poor = item.mos is not None and item.mos < POOR_MOS
        mos = "" if item.mos is None else f"{item.mos:.1f}" + (" !" if is_poor else "")
        return (
            stamp_text(item.started_at)[5:16],
            arrow,
            self.who(item.caller),
            self.who(item.callee),
            duration(item.duration_s) if item.answered_at else "",
            _("answered") if item.answered_at else cause_words(item.cause),
            " → ".join(trunk for trunk in (item.trunk_in, item.trunk_out) if trunk),
            mos,
            _("yes") if item.recording else "",
        )

    def inks(self, item: CallRecord) -> Mapping[int, str]:
        inks = {0: "quiet", 1: "lamp-busy", 6: "quiet", 7: "quiet"}
        if item.mos is not None and item.mos < POOR_MOS:
            inks[7] = "alarm"
        if item.answered_at is None:
            inks |= {1: "lamp-off", 5: "key"}
        return inks

    def detail(self, item: CallRecord) -> Sequence[TextLine]:
        times = [(_("began"), stamp_text(item.started_at)), (_("ended"), stamp_text(item.ended_at)[11:])]
        if item.answered_at:
            times.insert(1, (_("answered"), stamp_text(item.answered_at)[11:]))
        facts = [
            (_("ended by"), f"{_(RELEASED_WORDS[item.released_by])}: {cause_words(item.cause)}"),
            (_("the answer was"), item.cause if item.cause != "normal" else ""),
            (_("trunk"), " → ".join(trunk for trunk in (item.trunk_in, item.trunk_out) if trunk)),
            (_("codec"), item.codec or ""),
            (_("audio"), "" if item.mos is None else f"MOS {item.mos:.1f}"),
            (_("recording"), item.recording or ""),
            (_("call"), item.id if item.id == item.linked_id else f"{item.id} ({item.linked_id})"),
        ]
        lines: list[TextLine] = [_facts(times), _facts(facts[:1])]
        lines += [_facts([fact for fact in group if fact[1]]) for group in (facts[1:2], facts[2:5], facts[5:])]
        return [line for line in lines if line]


def _facts(facts: Sequence[tuple[str, str]]) -> TextLine:
    """Names and values in one line."""
    pieces: list[tuple[str, str]] = []
    for name, value in facts:
        gap = "   " if pieces else ""  # none at the end, where it would wrap
        pieces += [(f"{gap}{name} ", "quiet"), (value, "text")]
    return tuple(pieces)
