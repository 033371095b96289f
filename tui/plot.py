"""Small plots out of block signs: bars side by side, the axis below."""

from __future__ import annotations

from collections.abc import Sequence

Piece = tuple[str, str]


def bar_lines(values: Sequence[float], height: int, bars: str, *, top: float = 0.0, wide: int = 1) -> list[str]:
    """``height`` lines of bars, the highest first; each value has ``wide`` cells, the last of several is blank.

    ``bars`` are the signs from the lowest to the full one; ``top`` is the least value that fills the height.
    """
    most = max(top, max(values, default=0.0)) or 1.0
    steps = len(bars)
    levels = [0 if value <= 0 else max(1, round(value / most * height * steps)) for value in values]
    gap = " " if wide > 1 else ""
    lines = []
    for line in range(height - 1, -1, -1):
        signs = (_sign(level - line * steps, bars) for level in levels)
        lines.append(gap.join(sign * (wide - len(gap)) for sign in signs) + gap)
    return lines


def _sign(level: int, bars: str) -> str:
    return " " if level <= 0 else bars[min(level, len(bars)) - 1]
