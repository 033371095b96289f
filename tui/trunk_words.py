"""What an outside line is doing, in words, gauges and a small plot."""

from __future__ import annotations

from datetime import tzinfo

from rich.cells import cell_len

from engine.core.views import TrunkState, TrunkView
from tui.refusals import translated
from tui.texts import N_, _
from tui.widgets.text_pane import TextLine
from tui.wording import Glyphs, clock_text, fit

STATE_WORDS = {
    TrunkState.REGISTERED: N_("registered"),
    TrunkState.UNREGISTERED: N_("not registered"),
    TrunkState.TRYING: N_("trying"),
    TrunkState.FAILED: N_("failed"),
    TrunkState.STATIC: N_("ready"),
    TrunkState.UNREACHABLE: N_("cannot be reached"),
}
_WELL = (TrunkState.REGISTERED, TrunkState.STATIC)
_PLOT_WIDTH = 60


def state_cell(trunk: TrunkView, glyphs: Glyphs) -> tuple[tuple[str, str], tuple[str, str]]:
    """The sign and the word of a line's state, with their inks."""
    if trunk.state in _WELL:
        ink, sign = "good", glyphs.fine
    elif trunk.state is TrunkState.TRYING:
        ink, sign = "quiet", glyphs.again
    else:
        ink, sign = "alarm", glyphs.refused
    return (sign, ink), (_(STATE_WORDS[trunk.state]), ink)


def gauge(active: int, most: int | None) -> str:
    """``2/4``; ``∞`` is unlimited."""
    return f"{active}/{'∞' if most is None else most}"


def gauge_ink(active: int, most: int | None) -> str:
    """A full direction shows, and so does one that is forbidden."""
    if most == 0:
        return "quiet"
    return "alarm" if most is not None and active >= most else "text"


def detail_lines(trunk: TrunkView, zone: tzinfo | None, glyphs: Glyphs) -> list[TextLine]:
    """Everything that the row of a line has no room for."""
    lines: list[TextLine] = []
    (_sign, ink), (word, _ink) = state_cell(trunk, glyphs)
    since = _("since {time}").format(time=clock_text(trunk.state_since, zone)) if trunk.state_since else ""
    lines.append(((f"{word}   ", ink), (since, "quiet"), (f"   {trunk.server or ''}", "text")))
    if trunk.last_error:
        at = clock_text(trunk.last_error_at, zone) if trunk.last_error_at else ""
        lines.append(
            (
                (_("last error"), "quiet"),
                ("  ", "quiet"),
                (f"{at}  ", "quiet"),
                (translated(trunk.last_error), "text"),
            )
        )
    if trunk.refusals:
        told = ", ".join(f"{count} × {translated(why)}" for why, count in trunk.refusals)
        lines.append(((_("refused"), "quiet"), ("  ", "quiet"), (told, "text")))
    else:
        lines.append(((_("no call was refused"), "quiet"),))
    if trunk.history:
        lines += _plot(trunk.history, glyphs)
    return lines


def _plot(history: tuple[tuple[int, int], ...], glyphs: Glyphs) -> list[TextLine]:
    """The most calls at once of each of the last minutes, in and out."""
    recent = history[-_PLOT_WIDTH:]
    most = max(1, *(count for pair in recent for count in pair))
    steps = len(glyphs.bars) - 1
    lines: list[TextLine] = [((_("the last {n} minutes, most calls at once").format(n=len(recent)), "quiet"),)]
    words = _("in"), _("out")
    width = max(map(cell_len, words))
    for place, word in enumerate(words):
        bars = "".join(glyphs.bars[-(-pair[place] * steps // most)] for pair in recent)
        peak = _("at most {n}").format(n=max(pair[place] for pair in recent))
        lines.append(((f"{fit(word, width)}  ", "quiet"), (bars, "text"), (f"  {peak}", "quiet")))
    return lines
