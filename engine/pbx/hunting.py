"""In which order the members of a hunt group ring."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.store.services import Group, HuntOrder

if TYPE_CHECKING:
    from engine.pbx.lamps import LampBoard


class Hunting:
    """Remembers whose turn it is while the engine runs."""

    def __init__(self, shuffle: Callable[[list[str]], None] = random.shuffle) -> None:
        self._shuffle = shuffle
        self._turns: dict[str, int] = {}

    def in_order(self, group: Group, lamps: LampBoard) -> tuple[str, ...]:
        """The members, the one to ring first in front. Each question of a round-robin group is another turn."""
        members = list(group.members)
        if not members or group.order is HuntOrder.LINEAR:
            return tuple(members)
        if group.order is HuntOrder.RANDOM:
            self._shuffle(members)
        elif group.order is HuntOrder.ROUND_ROBIN:
            turn = self._turns.get(group.number, 0) % len(members)
            self._turns[group.number] = turn + 1
            members = members[turn:] + members[:turn]
        else:
            members.sort(key=lambda number: lamps.idle_since(number) or 0.0)
        return tuple(members)
