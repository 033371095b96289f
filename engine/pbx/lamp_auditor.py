"""The lamp auditor: compares lamps with the calls there are, and what watchers were told with how things stand.

Between a call's step and its lamp there may be a moment; what differs in two looks is a fault. It is repaired,
counted and told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from engine.core.events import LampsRepaired
from engine.core.text import shown
from engine.core.views import LampAudit
from engine.pbx.lamps import lamp_key
from engine.pbx.watchers import Watchers
from engine.sip.session.core import SessionState

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange
    from engine.pbx.leg import Leg

log = logging.getLogger(__name__)

AUDIT_S = 30.0
"""How often the auditor goes round by itself."""
SECOND_LOOK_S = 0.25
_MOST_TOLD = 20
_AT_ONCE = 500
"""Subscriptions that are compared before the loop may do something else."""

Repair = Callable[[], None]
Faults = dict[tuple[object, ...], tuple[str, Repair]]
"""By what differs: in words, and what mends it."""


class LampAuditor:
    """Belongs to the office."""

    def __init__(self, exchange: Exchange, watchers: Watchers) -> None:
        self._exchange = exchange
        self._watchers = watchers
        self._looked_at = 0.0
        self.repaired = 0
        """Faults mended since the start."""

    async def look(self) -> None:
        """From the regular sweep: go round when it is time."""
        now = self._exchange.clock.now()
        if now - self._looked_at >= AUDIT_S:
            self._looked_at = now
            await self.audit()

    async def audit(self) -> LampAudit:
        """Compare everything, and mend what differs now and a moment later."""
        faults = await self._faults()
        if faults:
            await asyncio.sleep(SECOND_LOOK_S)
            again = await self._faults()
            faults = {name: fault for name, fault in again.items() if name in faults}
        for text, repair in faults.values():
            log.warning("lamps: %s; repaired", text)
            repair()
        self.repaired += len(faults)
        texts = tuple(text for text, _ in faults.values())
        if texts:
            self._exchange.bus.publish(LampsRepaired(self._exchange.clock.wall(), len(texts), texts[:_MOST_TOLD]))
        self._exchange.endpoint.flush()
        return LampAudit(
            lamps=len(self._exchange.lamps.all()),
            subscriptions=self._watchers.count,
            repaired=texts,
            repaired_since_start=self.repaired,
        )

    async def _faults(self) -> Faults:
        found: Faults = {}
        self._compare_legs(found)
        self._compare_lamps(found)
        await self._compare_watchers(found)
        return found

    def _compare_legs(self, found: Faults) -> None:
        """The board has exactly the parties of the calls there are, each as it stands."""
        board = self._exchange.lamps
        wanted: dict[Leg, str] = {}
        for call in self._exchange.calls.values():
            for leg in call.legs:
                key = lamp_key(leg)
                if key is not None and (leg.session is None or leg.session.state is not SessionState.ENDED):
                    wanted[leg] = key
        for key, leg in board.every_leg():
            if wanted.get(leg) != key:
                text = f"{shown(key)} was shown in call {leg.call_id}, in which it is no more"
                found["stale", leg, key] = (text, partial(board.remove_leg, key, leg))
        for leg, key in wanted.items():
            if not board.shows(key, leg):
                text = f"{shown(key)} is in call {leg.call_id}, and its lamp did not show it"
                found["missing", leg, leg.state] = (text, partial(board.put_leg, key, leg))

    def _compare_lamps(self, found: Faults) -> None:
        board = self._exchange.lamps
        for number, (lamp, truth) in board.wrong().items():
            text = f"the lamp of {shown(number)} showed {lamp.value} instead of {truth.value}"
            found["lamp", number, lamp, truth] = (text, partial(board.refresh, number))

    async def _compare_watchers(self, found: Faults) -> None:
        for place, (subscription, name) in enumerate(self._watchers.misinformed(), 1):
            if place % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if subscription is None:
                continue
            watcher = shown(subscription.user.watcher)
            text = f"{watcher} was not told how {shown(name)} stands"
            found["watcher", subscription, name] = (text, partial(self._watchers.tell_again, subscription, name))
