"""What was done and what was refused, as the console lists it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from engine.core.audit import AuditEntry, Outcome
from engine.core.deeds import Deed
from engine.desk.deeds import ListAudit
from engine.desk.dispatch import deeds_by_action
from tui.kind import Past, TextLine
from tui.refusals import translated
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.wording import stamp_text

OUTCOME_WORDS = {Outcome.DONE: N_("done"), Outcome.REFUSED: N_("refused"), Outcome.FAILED: N_("failed")}
_INKS = {Outcome.DONE: "text", Outcome.REFUSED: "alarm", Outcome.FAILED: "key"}
DEED_WORDS = {
    Deed.LISTEN: N_("listen"),
    Deed.WHISPER: N_("whisper"),
    Deed.BARGE_IN: N_("barge in"),
    Deed.TAKE_OVER: N_("take over"),
}


class Deeds(Past):
    """The append-only audit log."""

    title = N_("Audit")
    empty = N_("nothing has been done yet: every change and every deed on a call is kept here")
    columns = (
        Column(14, usual=14, title=N_("At")),
        Column(8, usual=12, grow=1, most=32, title=N_("Operator")),
        Column(5, grow=1, most=15, title=N_("Phone"), drop=2),
        Column(16, usual=22, grow=2, most=40, title=N_("What")),
        Column(8, usual=12, grow=2, most=40, title=N_("About")),
        Column(8, grow=1, most=16, title=N_("Ended")),
        Column(16, usual=20, grow=4, most=160, title=N_("Why"), drop=1),
    )

    def __init__(self) -> None:
        super().__init__(ListAudit())

    def key(self, item: AuditEntry) -> str:
        return f"{item.at.timestamp()} {item.who} {item.action} {item.target} {item.outcome}"

    def name(self, item: AuditEntry) -> str:
        return f"{item.who}: {deed_words(item.action)}"

    def cells(self, item: AuditEntry) -> tuple[str, ...]:
        return (
            stamp_text(item.at)[5:],
            item.who,
            item.acting or "",
            deed_words(item.action),
            item.target or "",
            _(OUTCOME_WORDS[item.outcome]),
            translated(item.reason or ""),
        )

    def inks(self, item: AuditEntry) -> Mapping[int, str]:
        return {0: "quiet", 1: "strong", 2: "quiet", 5: _INKS[item.outcome]}

    def detail(self, item: AuditEntry) -> Sequence[TextLine]:
        lines: list[TextLine] = [((stamp_text(item.at), "text"), (f"   {item.action}", "quiet"))]
        who = _("{who} with the phone of {number}") if item.acting else "{who}"
        lines.append(((who.format(who=item.who, number=item.acting), "strong"),))
        if item.target:
            lines.append(((_("about {what}").format(what=item.target), "text"),))
        lines.append(((_(OUTCOME_WORDS[item.outcome]), _INKS[item.outcome]),))
        if item.reason:
            lines.append(((translated(item.reason), "text"),))
        return lines


def deed_words(action: str) -> str:
    """An action of the audit log in the console's language; one that is not known stays as it is."""
    if action in {*Deed}:
        return _(DEED_WORDS[Deed(action)])
    return _(_deeds().get(action, action))


@cache
def _deeds() -> dict[str, str]:
    return deeds_by_action()
