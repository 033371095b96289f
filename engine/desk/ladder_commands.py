"""Commands about a call's SIP messages: a page of its ladder, or all of them in a capture file."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.core.errors import NotFoundError, RefusedError
from engine.core.ladder import Ladder
from engine.desk.capture import capture_file
from engine.desk.commands import ReadLadder, SaveLadder
from engine.desk.counter import Counter
from engine.desk.private_file import write_privately
from engine.pbx.rights import demand_role
from engine.store.configuration import Role

CAPTURES = "captures"
"""The folder in the state folder that takes capture files."""
_MOST_AT_ONCE = 100
"""Messages of one page: told in a few milliseconds."""


async def read_ladder(counter: Counter, command: ReadLadder) -> Ladder:
    if command.with_secrets:
        demand_role(counter.asker, Role.ADMIN, "see digests and keys")
    first, limit = max(0, command.first), min(max(0, command.limit), _MOST_AT_ONCE)
    return await _page(counter, command.target, first, limit, with_secrets=command.with_secrets)


async def save_ladder(counter: Counter, command: SaveLadder) -> str:
    ladder = await _whole(counter, command.target)
    if not ladder.messages:
        raise RefusedError(f"nothing of call {ladder.call} is kept", "see the parameter trace_mb")
    path = counter.store.folder / CAPTURES / f"call-{ladder.call}.pcap"
    try:
        await asyncio.to_thread(write_privately, path, capture_file(ladder.messages))
    except OSError as error:
        raise RefusedError(f"cannot write {path}: {error.strerror or error}", "make room, then try again") from None
    return str(path)


async def _whole(counter: Counter, target: str) -> Ladder:
    """Every message, asked for in pages so that calls are not kept waiting."""
    ladder = await _page(counter, target, 0, _MOST_AT_ONCE)
    messages = [*ladder.messages]
    while messages and messages[-1].number + 1 < ladder.total:
        await asyncio.sleep(0)
        more = await _page(counter, ladder.call, messages[-1].number + 1, _MOST_AT_ONCE)
        if not more.messages:
            break
        messages += more.messages
    return replace(ladder, messages=tuple(messages))


async def _page(counter: Counter, target: str, first: int, limit: int, *, with_secrets: bool = False) -> Ladder:
    office = counter.running_office()
    try:
        return await office.ladder(target, first, limit, with_secrets=with_secrets)
    except NotFoundError:
        record = await asyncio.wrap_future(counter.store.read(lambda rows: rows.record(target)))
        if record is None:
            raise
        raise NotFoundError(
            f"the messages of call {target} are no longer there",
            "they are kept in memory until the engine stops or newer calls need the room",
        ) from None
