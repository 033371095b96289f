"""The threads that run services: one that hangs is replaced and what it works on left alone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.pbx.service import ServiceError, Verb
from engine.services import LuaServices
from engine.services.pool import Pool
from tests.unit.services.host import write_service

LIMIT_S = 0.25
PATTERN_BOMB = 'return (("a"):rep(26)):find(("a?"):rep(26) .. ("a"):rep(26))'
"""Hangs inside one library function, for seconds."""


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(workers=2, step_limit_s=LIMIT_S, most_stuck=2)
    yield pool
    pool.close()


async def hang(pool: Pool, until: threading.Event) -> None:
    with pytest.raises(ServiceError, match="took longer than") as caught:
        await pool.run(lambda: until.wait(10))
    assert caught.value.is_stuck


async def test_work_runs_on_another_thread_and_its_outcome_comes_back(pool: Pool) -> None:
    assert await pool.run(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)
    assert await pool.run(lambda: 7) == 7


async def test_a_thread_that_hangs_is_replaced(pool: Pool) -> None:
    until = threading.Event()
    await hang(pool, until)
    await hang(pool, until)
    assert (pool.stuck, pool.has_room) == (2, False)
    assert await asyncio.gather(pool.run(lambda: 1), pool.run(lambda: 2)) == [1, 2]
    until.set()
    async with asyncio.timeout(5):
        while pool.stuck:
            await pool.run(lambda: None)
    assert pool.has_room


async def test_waiting_for_a_thread_does_not_count(pool: Pool) -> None:
    until = threading.Event()
    hanging = [asyncio.create_task(hang(pool, until)) for _ in range(2)]
    waiting = asyncio.create_task(pool.run(lambda: "done"))
    async with asyncio.timeout(5):
        await asyncio.gather(*hanging)
        assert await waiting == "done"
    until.set()


async def test_a_pattern_bomb_is_cut_off_and_others_go_on(pool: Pool, tmp_path: Path) -> None:
    write_service(tmp_path, "bomb", PATTERN_BOMB)
    write_service(tmp_path, "calm", "call:wait(5)")
    host = LuaServices(tmp_path, tmp_path, pool)
    bomb, calm = await host.open("bomb", {"caller": "101"}), await host.open("calm", {"caller": "102"})
    began = time.monotonic()
    exploding = asyncio.create_task(bomb.resume())
    assert await calm.resume() == Verb("wait", {"seconds": 5})
    with pytest.raises(ServiceError) as caught:
        await exploding
    assert time.monotonic() - began < 1.0
    assert caught.value.is_stuck
    await bomb.end(hung_up=True)  # it is not touched again: this returns at once
    bomb.close()
    assert await calm.resume(True) is None
    calm.close()


async def test_services_are_refused_while_too_many_hang(pool: Pool, tmp_path: Path) -> None:
    until = threading.Event()
    await hang(pool, until)
    await hang(pool, until)
    write_service(tmp_path, "calm", "call:wait(5)")
    with pytest.raises(ServiceError, match="2 others hang"):
        await LuaServices(tmp_path, tmp_path, pool).open("calm", {"caller": "101"})
    until.set()
