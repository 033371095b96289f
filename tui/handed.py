"""What may still be undone: a caller that was given away, and the bar that says how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.pbx.operator_phone import UNDO_S
from tui.texts import _
from tui.widgets.lines import Part
from tui.wording import Glyphs

_BAR = 10


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A caller on its way to somebody, and until when it can be fetched back."""

    who: str
    where: str
    is_parked: bool
    until: datetime

    @classmethod
    def now(cls, who: str, where: str, at: datetime, *, is_parked: bool = False) -> HandedOn:
        return cls(who, where, is_parked, at + timedelta(seconds=UNDO_S))

    def left_s(self, at: datetime) -> float:
        """Seconds that are left; 0 when it is too late."""
        return max(0.0, (self.until - at).total_seconds())

    def parts(self, at: datetime, glyphs: Glyphs, *, is_short: bool = False) -> list[Part]:
        """The line with its bar; the short one stands beside something else."""
        left = self.left_s(at)
        filled = round(_BAR * left / UNDO_S)
        bar = glyphs.full * filled + glyphs.empty * (_BAR - filled)
        undo = _("undo in {n} s: press U").format(n=round(left))
        if is_short:
            return [(f" {glyphs.back} ", "key"), (undo + " ", "key")]
        text = _("parked: {who} on {where}") if self.is_parked else _("transferred: {who} to {where}")
        return [
            (f" {glyphs.back} {bar} {undo}   ", "key"),
            (text.format(who=self.who, where=self.where), "strong"),
        ]
