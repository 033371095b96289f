"""How many calls an outside line carries at once, each way, and what was refused for it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from enum import StrEnum

from engine.store.outside import Trunk

MINUTE_S = 60.0
HISTORY = 60
"""Minutes of which the most calls at once are kept."""


class Way(StrEnum):
    """The direction of a call, seen from the office."""

    IN = "in"
    OUT = "out"


class Full(StrEnum):
    """Why a call finds no room."""

    FORBIDDEN = "direction forbidden"
    LIMIT = "limit reached"


class Claim:
    """The room that one call takes on a line, from its INVITE to its end; given back once, whoever says it."""

    __slots__ = ("_calls", "is_emergency", "make_room", "way")

    def __init__(self, calls: TrunkCalls, way: Way, is_emergency: bool, make_room: Callable[[], None]) -> None:
        self._calls: TrunkCalls | None = calls
        self.way = way
        self.is_emergency = is_emergency
        self.make_room = make_room
        """Ends the call for an emergency call."""

    def release(self) -> None:
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.give_back(self)


class TrunkCalls:
    """The calls of one line. Limits are asked of the trunk each time: they may change while calls run."""

    def __init__(self, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self._claims: dict[Way, list[Claim]] = {Way.IN: [], Way.OUT: []}
        self._refused: dict[Way, Counter[str]] = {Way.IN: Counter(), Way.OUT: Counter()}
        self._peaks: deque[tuple[int, int]] = deque(maxlen=HISTORY)
        self._minute = int(now() // MINUTE_S)
        self._peak = (0, 0)

    def active(self, way: Way) -> int:
        """Calls that have room now."""
        return len(self._claims[way])

    def claim(
        self,
        trunk: Trunk,
        way: Way,
        make_room: Callable[[], None],
        *,
        is_emergency: bool = False,
        is_over_limit: bool = False,
    ) -> Claim | Full:
        """Room for one call. An emergency call gets that of the newest ordinary ones; a limit of 0 is absolute.

        ``is_over_limit``: an operator overrides the limit for this call.
        """
        limit = trunk.max_in if way is Way.IN else trunk.max_out
        if limit == 0:
            return Full.FORBIDDEN
        claims = self._claims[way]
        if is_over_limit and not is_emergency:
            pass
        elif limit is not None and not is_emergency:
            reserved = trunk.reserve_emergency if way is Way.OUT else 0
            if len(claims) >= max(limit - reserved, 0):
                return Full.LIMIT
        elif limit is not None and len(claims) >= limit and not self._clear(claims, limit):
            return Full.LIMIT
        made = Claim(self, way, is_emergency, make_room)
        claims.append(made)
        self._note_peak()
        self._changed()
        return made

    def _clear(self, claims: list[Claim], limit: int) -> bool:
        """Let the newest ordinary calls go, of a line over its limit several; whether there was one."""
        ordinary = [claim for claim in claims if not claim.is_emergency]
        newest = ordinary[::-1][: len(claims) - limit + 1]
        for claim in newest:
            claim.release()
            claim.make_room()
        return bool(newest)

    def give_back(self, claim: Claim) -> None:
        """From ``Claim.release``."""
        self._pass_minutes()
        self._claims[claim.way].remove(claim)
        self._changed()

    def refuse(self, way: Way, reason: str) -> None:
        """Count a call that the line did not take."""
        self._refused[way][reason] += 1
        self._changed()

    def refused(self, way: Way) -> int:
        return self._refused[way].total()

    def refusals(self) -> tuple[tuple[str, int], ...]:
        """Why calls were refused and how many, the most frequent first."""
        both = Counter({f"{way}: {why}": count for way in Way for why, count in self._refused[way].items()})
        return tuple(both.most_common())

    def history(self) -> tuple[tuple[int, int], ...]:
        """The most calls in and out at once of each of the last minutes, this one last."""
        self._pass_minutes()
        return (*self._peaks, self._peak)[-HISTORY:]

    def _pass_minutes(self) -> None:
        """Begin a new minute, or several, with the calls that stand."""
        minute = int(self._now() // MINUTE_S)
        passed = minute - self._minute
        if passed <= 0:
            return
        stands = (len(self._claims[Way.IN]), len(self._claims[Way.OUT]))
        self._peaks.append(self._peak)
        self._peaks.extend([stands] * min(passed - 1, HISTORY))
        self._minute, self._peak = minute, stands

    def _note_peak(self) -> None:
        self._pass_minutes()
        calls_in, calls_out = len(self._claims[Way.IN]), len(self._claims[Way.OUT])
        self._peak = (max(self._peak[0], calls_in), max(self._peak[1], calls_out))
