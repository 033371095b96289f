"""A mailbox and its reader."""

from __future__ import annotations

import asyncio

import pytest

from engine.core.mailbox import Mailbox


async def test_what_was_posted_comes_out_in_order() -> None:
    box: Mailbox[int] = Mailbox()
    for number in range(3):
        box.post(number)
    assert [await box.take() for _ in range(3)] == [0, 1, 2]


async def test_a_waiting_reader_wakes_up_and_misses_nothing() -> None:
    box: Mailbox[int] = Mailbox()

    async def read() -> list[int]:
        return [await box.take() for _ in range(4)]

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    box.post(1)
    box.post(2)
    await asyncio.sleep(0)
    box.post(3)
    box.post(4)
    async with asyncio.timeout(1):
        assert await reader == [1, 2, 3, 4]


async def test_a_reader_that_gave_up_takes_nothing_with_it() -> None:
    box: Mailbox[int] = Mailbox()
    reader = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    reader.cancel()
    box.post(1)
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await box.take() == 1
