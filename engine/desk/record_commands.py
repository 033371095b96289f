"""Commands about the calls that were: listed, counted, written to a file."""

from __future__ import annotations

import asyncio

from engine.core.errors import RefusedError
from engine.core.views import CallRecord
from engine.desk.commands import CountCalls, HourOfCalls, ListRecords, SaveRecords
from engine.desk.counter import Counter
from engine.desk.csv_text import csv_of
from engine.desk.private_file import write_privately
from engine.store.record_query import RecordQuery

EXPORTS = "exports"
"""The folder in the state folder that takes them."""


async def list_records(counter: Counter, command: ListRecords) -> tuple[CallRecord, ...]:
    query = _query(counter, command)
    return await asyncio.wrap_future(counter.store.read(lambda rows: rows.records(query)))


async def count_calls(counter: Counter, command: CountCalls) -> tuple[HourOfCalls, ...]:
    query = RecordQuery(command.since, command.before)
    counted = await asyncio.wrap_future(counter.store.read(lambda rows: rows.record_counts(query)))
    return tuple(HourOfCalls(*hour) for hour in counted)


async def save_records(counter: Counter, command: SaveRecords) -> str:
    records = await list_records(counter, command.asked)
    if not records:
        raise RefusedError("there is no such call", "ask for more of them")
    name = f"calls-{counter.clock.wall():%Y%m%d-%H%M%S}.csv"
    path = counter.store.folder / EXPORTS / name
    try:
        await asyncio.to_thread(write_privately, path, csv_of(records).encode())
    except OSError as error:
        raise RefusedError(f"cannot write {path}: {error.strerror}", "make room, then try again") from None
    return str(path)


def _query(counter: Counter, asked: ListRecords) -> RecordQuery:
    """Names are known of extensions alone: theirs are looked up here, for records hold numbers."""
    who = (asked.who or "").strip().casefold() or None
    named = tuple(
        each.number
        for each in counter.configuration.extensions.values()
        if who is not None and each.name and who in each.name.casefold()
    )
    return RecordQuery(asked.since, asked.before, asked.limit, who, named, asked.is_answered, asked.trunk)
