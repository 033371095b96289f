"""Services that run without a caller: after calls, and at their times."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.core.errors import RefusedError
from engine.core.events import AlarmRaised
from engine.core.ids import CallId
from engine.core.views import CallRecord
from engine.pbx.routing.table import RoutingTable, table_of
from engine.pbx.routing.times import read_times
from engine.pbx.unattended import Unattended
from engine.store.configuration import Extension
from engine.store.services import Point, Trigger

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

MOST_AT_ONCE, MOST_WAITING = 16, 1000
_MOST_MISSED_MIN = 10
"""Minutes that are made up for when the office was asleep."""
_NO_CALL = CallId("-")
_LONGEST_JUMP = timedelta(hours=3)
"""A clock that daylight saving puts forward or back moves less."""


class Backstage:
    """Begins services without a caller, some at once and the others in their turn. Belongs to the office."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._running: dict[asyncio.Task[None], Unattended] = {}
        self._waiting: deque[Unattended] = deque()
        self._is_open = True
        self._is_late = False
        self._timetable = Timetable()

    def look(self) -> None:
        """Begin what is due; every few seconds."""
        table = table_of(self._exchange.configuration)
        for trigger in self._timetable.due(table, self._exchange.clock.wall()):
            own = self._exchange.configuration.extensions.get(trigger.number)
            self._begin(trigger, own, {"reason": "schedule"}, {}, _NO_CALL)

    def note_end(self, record: CallRecord, numbers: Iterable[str]) -> None:
        """A call is over; ``numbers`` are the extensions that took part."""
        exchange = self._exchange
        if record.id in exchange.unattended:
            exchange.unattended.discard(record.id)
            return  # else a service that rings somebody after each call would do so for ever
        trunks = (each for each in (record.trunk_in, record.trunk_out) if each is not None)
        named = dict.fromkeys((record.caller, *numbers, record.callee, *trunks))
        table = table_of(exchange.configuration)
        for name in named:
            trigger = table.trigger_at(Point.CALL_END, name)
            if trigger is not None and trigger.number == name:
                break
        else:
            trigger = table.trigger_at(Point.CALL_END, "")
        if trigger is None:
            return
        own = exchange.configuration.extensions.get(trigger.number)
        told = {"id": record.id, "caller": record.caller, "dialled": record.callee, "trunk": record.trunk_in}
        self._begin(trigger, own, {**_texts(record, table), "reason": "call_end"}, told, record.id)

    def close(self) -> None:
        """End what runs; nothing begins any more."""
        self._is_open = False
        self._waiting.clear()
        for task in [*self._running]:
            task.cancel()

    def _begin(
        self,
        trigger: Trigger,
        own: Extension | None,
        said: Mapping[str, str],
        told: Mapping[str, Any],
        call_id: CallId,
    ) -> None:
        if not self._is_open:
            return
        facts = {**told, "settings": {**dict(trigger.settings), **said}}
        run = Unattended(self._exchange, trigger.service, facts, own, call_id)
        if len(self._running) < MOST_AT_ONCE:
            self._start(run)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(run)
        elif not self._is_late:
            self._is_late = True
            text = f"more than {MOST_WAITING} services wait for others to be done: {trigger.service} is left out"
            log.error("%s", text)
            self._exchange.bus.publish(AlarmRaised(self._exchange.clock.wall(), text))

    def _start(self, run: Unattended) -> None:
        task = self._exchange.crew.start(run.run(), "a service without a caller")
        self._running[task] = run
        task.add_done_callback(self._note_done)

    def _note_done(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if self._waiting and self._is_open:
            self._start(self._waiting.popleft())
        else:
            self._is_late = False


class Timetable:
    """Which rows are due. What was missed while the engine was down is not made up for."""

    def __init__(self) -> None:
        self._minute: int | None = None
        """Since 1970, the last that was looked at."""
        self._begun: dict[int, datetime] = {}
        """By row, the local minute at which it has begun last."""

    def due(self, table: RoutingTable, now: datetime) -> list[Trigger]:
        """The rows for the minutes since the last look."""
        minute = int(now.timestamp()) // 60
        before, self._minute = self._minute, minute
        if before is None or not table.timed:
            return []
        found: list[Trigger] = []
        for each in range(max(before + 1, minute - _MOST_MISSED_MIN), minute + 1):
            for local, is_skipped in _local_minutes(table, each):
                found += [row for row in table.timed if self._begins(table, row, local, each, is_skipped)]
        return found

    def _begins(self, table: RoutingTable, row: Trigger, local: datetime, minute: int, is_skipped: bool) -> bool:
        try:
            times = read_times(row.settings)
        except RefusedError:
            return False  # refused where it is typed; an older database may hold anything
        if not times.name(local, is_skipped=is_skipped):
            return False
        begun = self._begun.get(row.id)
        if begun is not None and timedelta() <= begun - local < _LONGEST_JUMP and not times.every:
            return False  # the clock was put back over it
        if not table.holds(times.schedule, _moment(minute)):
            return False
        self._begun[row.id] = local
        return True


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _local_minutes(table: RoutingTable, minute: int) -> Iterator[tuple[datetime, bool]]:
    """A minute in the office's time, and before it those over which daylight saving has put the clock forward."""
    local = table.local(_moment(minute)).replace(tzinfo=None)
    before = table.local(_moment(minute - 1)).replace(tzinfo=None)
    if local - before <= _LONGEST_JUMP:
        for skipped in range(1, (local - before) // timedelta(minutes=1)):
            yield before + timedelta(minutes=skipped), True
    yield local, False


def _texts(record: CallRecord, table: RoutingTable) -> dict[str, str]:
    """A record as a service's settings; what is not known is left out."""

    def moment(at: datetime | None) -> str | None:
        return None if at is None else f"{table.local(at):%Y-%m-%dT%H:%M:%S%z}"

    said = {
        "id": record.id,
        "linked_id": record.linked_id,
        "caller": record.caller,
        "callee": record.callee,
        "started_at": moment(record.started_at),
        "answered_at": moment(record.answered_at),
        "ended_at": moment(record.ended_at),
        "duration_s": f"{record.duration_s:.0f}",
        "released_by": record.released_by.value,
        "cause": record.cause,
        "trunk_in": record.trunk_in,
        "trunk_out": record.trunk_out,
        "codec": record.codec,
        "mos": None if record.mos is None else f"{record.mos:.2f}",
        "recording": record.recording,
    }
    return {name: value for name, value in said.items() if value is not None}
