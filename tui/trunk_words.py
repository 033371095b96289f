"""What an outside line is doing, in words, gauges and a small plot."""

from __future__ import annotations

from datetime import tzinfo

from rich.cells import cell_len

from engine.core.views import TrunkState, TrunkView
from tui.refusals import translated
from tui.texts import N_, _, plural
from tui.widgets.columns import Column
from tui.widgets.lines import Part
from tui.widgets.live_list import Row
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
_BAD = (TrunkState.FAILED, TrunkState.UNREACHABLE)
_PLOT_WIDTH = 60
_BAR_WIDTH = 5
LINE_COLUMNS = (
    Column(8, usual=10, grow=2, most=24),
    Column(13, usual=14, grow=1, most=18),
    Column(14, usual=15, grow=1, most=18),
    Column(1, drop=2),
    Column(10, grow=1, most=16, drop=1),
)
"""Of the Switchboard's panel of lines."""


def state_cell(trunk: TrunkView, glyphs: Glyphs) -> tuple[tuple[str, str], tuple[str, str]]:
    """The sign and the word of a line's state, with their inks."""
    if trunk.state in _WELL:
        ink, sign = "good", glyphs.fine
    elif trunk.state is TrunkState.TRYING:
        ink, sign = "quiet", glyphs.again
    else:
        ink, sign = "alarm", glyphs.refused
    return (sign, ink), (_(STATE_WORDS[trunk.state]), ink)


def gauge(active: int, most: int | None, glyphs: Glyphs) -> str:
    """``2/4``; ``∞`` is unlimited, and a direction that is forbidden has a cross."""
    if most == 0:
        return f"{active}/{glyphs.refused}" if active else glyphs.refused
    return f"{active}/{'∞' if most is None else most}"


def gauge_bar(active: int, most: int | None, glyphs: Glyphs) -> str:
    """``███▁▁ 3/5``: how full a direction is, where it has a limit."""
    told = gauge(active, most, glyphs)
    if not most:
        return f"{' ' * _BAR_WIDTH} {told}"
    full = min(_BAR_WIDTH, -(-active * _BAR_WIDTH // most))
    return f"{glyphs.bars[-1] * full}{glyphs.bars[0] * (_BAR_WIDTH - full)} {told}"


def needs_a_hand(trunk: TrunkView) -> bool:
    """Whether a line carries no calls, and somebody has to see to it."""
    return trunk.state in _BAD


def lines_in_brief(trunks: tuple[TrunkView, ...], glyphs: Glyphs, *, is_short: bool = False) -> list[Part]:
    """All lines in a few words: ``⇅ telekom 3/8 in 2/8 out``, of several how many there are; nothing without any.

    It is loud when one of them needs a hand.
    """
    if not trunks:
        return []
    bad = sum(needs_a_hand(trunk) for trunk in trunks)
    active_in, active_out = sum(one.active_in for one in trunks), sum(one.active_out for one in trunks)
    if len(trunks) == 1 and not is_short:
        (one,) = trunks
        calls_in, calls_out = gauge(active_in, one.max_in, glyphs), gauge(active_out, one.max_out, glyphs)
        text = _("{name} {calls_in} in {calls_out} out").format(
            name=one.name, calls_in=calls_in, calls_out=calls_out
        )
    else:
        text = _("{calls_in} in {calls_out} out").format(calls_in=active_in, calls_out=active_out)
        if not is_short:
            text = f"{plural('{n} trunk', '{n} trunks', len(trunks))} {text}"
    sign = ("lamp-busy" if active_in + active_out else "lamp-idle") if not bad else "alarm"
    parts = [(f"{glyphs.lines} ", sign), (text, "text")]
    return [*parts, (f" {glyphs.warning} {bad}", "alarm")] if bad else parts


def line_row(trunk: TrunkView, glyphs: Glyphs) -> Row:
    """A line in the Switchboard's panel."""
    sign, word = state_cell(trunk, glyphs)
    return Row(
        trunk.name,
        (
            (trunk.name, "strong"),
            (
                f"{_('in')} {gauge_bar(trunk.active_in, trunk.max_in, glyphs)}",
                gauge_ink(trunk.active_in, trunk.max_in),
            ),
            (
                f"{_('out')} {gauge_bar(trunk.active_out, trunk.max_out, glyphs)}",
                gauge_ink(trunk.active_out, trunk.max_out),
            ),
            sign,
            word,
        ),
    )


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
