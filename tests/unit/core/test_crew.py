"""The crew: work that waits for nothing is done at once, the rest goes on as a task."""

from __future__ import annotations

import asyncio
import logging

import pytest

from engine.core.crew import Crew


async def test_work_that_waits_for_nothing_is_done_at_once() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    async with asyncio.TaskGroup() as group:
        Crew(group).run(work(), "a deed")
        assert done == [1]


async def test_work_goes_on_once_what_it_waits_for_is_there() -> None:
    done: list[object] = []

    async def work(answer: asyncio.Future[str]) -> None:
        done.append(await answer)
        await asyncio.sleep(0)
        done.append(asyncio.current_task())

    async with asyncio.TaskGroup() as group:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        Crew(group).run(work(answer), "a deed")
        assert not done
        answer.set_result("yes")
    assert done[0] == "yes"
    assert isinstance(done[1], asyncio.Task)


async def test_a_failure_that_is_awaited_reaches_the_work() -> None:
    caught: list[str] = []

    async def work(answer: asyncio.Future[str]) -> None:
        try:
            await answer
        except ValueError as error:
            caught.append(str(error))

    async with asyncio.TaskGroup() as group:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        Crew(group).run(work(answer), "a deed")
        answer.set_exception(ValueError("no"))
    assert caught == ["no"]


async def test_cancelling_the_group_cancels_the_work_that_waits() -> None:
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), asyncio.TaskGroup() as group:
            Crew(group).run(work(), "a deed")
    assert ended == [True]


@pytest.mark.parametrize("waits", [False, True])
async def test_work_that_fails_is_logged_and_fails_alone(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("broken")

    async with asyncio.TaskGroup() as group:
        Crew(group).run(work(), "a deed")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "a deed" in record.getMessage()
