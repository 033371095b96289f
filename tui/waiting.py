"""Who waits for the operator: rows that keep their place, and how loud each has become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from engine.core.views import CallState, CallView
from tui.rows import LINGER_S
from tui.texts import _
from tui.widgets.columns import Column
from tui.widgets.live_list import Row
from tui.wording import Glyphs, duration

LOUDER_S, LOUD_S, LOUDEST_S = 10.0, 20.0, 40.0
"""After so long a caller is coloured, then heard every few seconds, then flashes."""
BELL_EVERY_S = 5

WAITING_COLUMNS = (
    Column(1),
    Column(5, to_right=True),
    Column(9, usual=14, grow=2, most=24),
    Column(6, usual=12, grow=3, most=60),
    Column(6, grow=1, most=18, drop=1),
    Column(3, usual=6, grow=2, most=30, drop=2),
)
"""How it came, how long, number, name, what it dialled, whom it talked to last."""


class Loudness(IntEnum):
    """How much a caller asks for somebody."""

    CALM = 0
    COLOURED = 1
    HEARD = 2
    FLASHING = 3


@dataclass(slots=True)
class _Kept:
    call: CallView
    ended_at: datetime | None = None
    why: str = ""


def loudness(call: CallView, at: datetime) -> Loudness:
    waited = waiting_s(call, at)
    if waited >= LOUDEST_S:
        return Loudness.FLASHING
    return Loudness.HEARD if waited >= LOUD_S else Loudness.COLOURED if waited >= LOUDER_S else Loudness.CALM


def waiting_s(call: CallView, at: datetime) -> float:
    """Seconds since the caller began to wait."""
    return max(0.0, (at - (call.waits_since or call.started_at)).total_seconds())


class WaitingBook:
    """The callers that wait for one extension, longest first; who is gone lingers a moment in its place."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._live: frozenset[str] = frozenset()

    def update(self, calls: Iterable[CallView], own: str, at: datetime, cursor: str | None) -> None:
        """Take over who waits now; the row under ``cursor`` lingers as long as the cursor stays on it."""
        known: dict[str, CallView] = {call.id: call for call in calls}
        self._live = frozenset(known)
        waiting = {name: call for name, call in known.items() if own in call.waits_for and call.caller != own}
        for key, kept in list(self._kept.items()):
            call = waiting.pop(kept.call.id, None)
            if call is not None:
                kept.call, kept.ended_at = call, None
                continue
            if kept.ended_at is None:
                kept.ended_at, kept.why = at, _what_became(known.get(kept.call.id), own)
            limit = LINGER_S * (5 if key == cursor else 1)
            if (at - kept.ended_at).total_seconds() >= limit:
                del self._kept[key]
        for call in sorted(waiting.values(), key=lambda each: each.waits_since or each.started_at):
            self._kept[call.id] = _Kept(call)

    @property
    def calls(self) -> list[CallView]:
        """Who waits now, longest first."""
        return [kept.call for kept in self._kept.values() if kept.ended_at is None]

    @property
    def names(self) -> frozenset[str]:
        """The calls that are shown here alone: those that wait, or did to their end."""
        return frozenset(key for key, kept in self._kept.items() if kept.ended_at is None or key not in self._live)

    def call(self, key: str | None) -> CallView | None:
        """The waiting call behind a row; ``None`` when it waits no more."""
        kept = self._kept.get(key) if key else None
        return kept.call if kept is not None and kept.ended_at is None else None

    def rows(
        self, at: datetime, glyphs: Glyphs, about: Callable[[CallView], tuple[str | None, str]]
    ) -> tuple[Row, ...]:
        """One row a caller; ``about`` tells its name and whom it talked to last."""
        return tuple(_row(kept, at, glyphs, about) for kept in self._kept.values())


def _what_became(call: CallView | None, own: str) -> str:
    if call is None:
        return _("hung up")
    takers = [party.extension for party in call.parties[1:] if party.extension is not None]
    return _("answered") if own in takers or not takers else _("taken by {who}").format(who=takers[0])


def _row(kept: _Kept, at: datetime, glyphs: Glyphs, about: Callable[[CallView], tuple[str | None, str]]) -> Row:
    call = kept.call
    name, last = about(call)
    if kept.ended_at is not None:
        cells = ("", duration(waiting_s(call, kept.ended_at)), call.caller, name or "–", kept.why, "")
        return Row(call.id, tuple((text, "lamp-off") for text in cells))
    level = loudness(call, at)
    ink = ("text", "lamp-ringing", "alarm", "alarm")[level]
    sign = glyphs.warning if level >= Loudness.COLOURED else _sign(call, glyphs)
    return Row(
        call.id,
        (
            (sign, ink if level else "lamp-ringing"),
            (duration(waiting_s(call, at)), ink),
            (call.caller, ink),
            (name or "–", "strong" if level else "text"),
            (_dialled(call, glyphs), "quiet"),
            (last, "quiet"),
        ),
    )


def _sign(call: CallView, glyphs: Glyphs) -> str:
    if call.returned is not None:
        return glyphs.back
    return glyphs.held if call.state is CallState.QUEUED else glyphs.incoming


def _dialled(call: CallView, glyphs: Glyphs) -> str:
    if call.returned is not None:
        return f"{glyphs.back} {call.returned}"
    return _("for {number}").format(number=call.group or call.callee)
