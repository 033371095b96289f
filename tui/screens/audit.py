"""The Audit screen: the append-only log of what operators did and what was refused to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from engine.core.audit import Outcome
from engine.desk.deeds import ListAudit
from engine.desk.dialling import Checked, Flaw
from tui.audit_kind import Deeds
from tui.keys import KIND_LIST, LISTS, NUMBERED, PAST, SCREENS, bindings
from tui.kind import Field
from tui.screens.history import BEFORE, SINCE, HistoryScreen, not_one_of
from tui.texts import N_

_ALL = "all"


class AuditScreen(HistoryScreen, inherit_bindings=False):
    """Who did what, the newest first; for supervisors and administrators."""

    BINDINGS = bindings(KIND_LIST, PAST, NUMBERED, LISTS, SCREENS)
    CHOICES = (
        Field("who", N_("Operator"), N_("part of a login or of a phone's number")),
        Field("about", N_("What"), N_("part of a word such as set-trunk, or of a name")),
        SINCE,
        BEFORE,
        Field("outcome", N_("Ended"), "all, done, refused, failed"),
    )
    choose_title = N_("Choose deeds")
    plain: ClassVar[Mapping[str, str]] = {"outcome": _ALL}
    help_text = N_("Nothing here can be changed or removed; f chooses by operator, deed, time and outcome.")

    def __init__(self) -> None:
        super().__init__(Deeds())

    def asked(self, typed: Mapping[str, str]) -> ListAudit:
        outcome = typed["outcome"]
        return ListAudit(
            since=self.moment(typed["since"]),
            before=self.moment(typed["before"]),
            who=typed["who"] or None,
            about=typed["about"] or None,
            outcome=Outcome(outcome) if outcome not in ("", _ALL) else None,
        )

    def check_more(self, typed: Mapping[str, str]) -> Checked:
        words = (_ALL, *(outcome.value for outcome in Outcome))
        if typed["outcome"] in ("", *words):
            return Checked()
        wrong = not_one_of(typed["outcome"], words)
        return Checked((Flaw("outcome", wrong.what, wrong.mend),))
