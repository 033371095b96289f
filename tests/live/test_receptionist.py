"""A receptionist's day at the Switchboard, by keys alone over ssh, while fifty other calls run."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.core.clock import SystemClock
from engine.media.native import NativeGateway
from engine.phones.call import Phase
from engine.phones.handset import Handset, HandsetCall
from engine.phones.phone import Account
from engine.phones.voices import voice
from tests.live.handsets import WAIT_S, registered
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, new_office
from tests.live.typist import Typist, typist

LOGIN, PASSWORD, DESK = "front", "Front-pw-77q", "150"
STAFF = ("151", "152", "153")
CALLERS = tuple(str(number) for number in range(201, 207))
OTHERS = ("301", "302")
OTHER_CALLS = 50
MOST_MS = 100.0
DAY = ["answer"] * 31 + ["transfer"] * 10 + ["ask"] * 5 + ["undo"] * 5 + ["park"] * 5 + ["answer"] * 4
"""Sixty callers: twenty are transferred (five after asking, five fetched back), five are parked."""

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def desk_office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    office = new_office(tmp_path_factory.mktemp("day"), network)
    office.media_ports = network.ports(480)
    office.start()
    try:
        _furnish(office)
        yield office
    finally:
        office.stop()


def _furnish(office: Office) -> None:
    for number in (DESK, *STAFF, *CALLERS, *OTHERS):
        office.extension(number, "--name", f"Person {number}", "--max-calls", "unlimited")
    office.cli("extension", "set", DESK, "--right", "barge-in")
    office.cli("operator", "add", LOGIN, "--password", PASSWORD, "--role", "receptionist", "--extension", DESK)


class House:
    """Every phone of the office, by its number."""

    def __init__(self, handsets: dict[str, Handset]) -> None:
        self.handsets = handsets

    def __getitem__(self, number: str) -> Handset:
        return self.handsets[number]

    async def call(self, number: str, to: str) -> HandsetCall:
        return await self[number].call(to)

    async def has(self, number: str, *phases: Phase) -> HandsetCall:
        """A call of a phone that stands so; waits for it."""

        def found() -> HandsetCall | None:
            return next((call for call in self[number].calls if call.phase in phases), None)

        await until(lambda: found() is not None, f"{number} has a call that is {phases}")
        call = found()
        assert call is not None
        return call

    async def is_free(self, number: str) -> None:
        await until(lambda: not self[number].calls, f"{number} has no call")


async def until(holds: Callable[[], bool], what: str, within_s: float = WAIT_S) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None


@asynccontextmanager
async def house_of(office: Office, network: Network) -> AsyncIterator[House]:
    """All phones, registered; colleagues and the others answer by themselves."""
    ports = network.ports(480)
    gateway, clock, said = NativeGateway(ports[0], ports[-1]), SystemClock(), voice(1)
    await gateway.start()
    numbers = (DESK, *STAFF, *CALLERS, *OTHERS)
    handsets = {
        number: Handset(
            Account(number, office.passwords[number], (office.host, SIP_PORT)), network.host(), gateway, clock, said
        )
        for number in numbers
    }
    deeds: set[asyncio.Task[None]] = set()

    def answer(call: HandsetCall) -> None:
        call.ring()
        deeds.add(asyncio.get_running_loop().create_task(call.answer()))

    handsets[DESK].takes_orders = True
    handsets[DESK].on_ring = HandsetCall.ring
    for number in (*STAFF, *OTHERS):
        handsets[number].on_ring = answer
    try:
        for handset in handsets.values():
            await handset.plug_in()
        for handset in handsets.values():
            await registered(handset)
        yield House(handsets)
    finally:
        for handset in handsets.values():
            await handset.cut()
        await gateway.stop()


@pytest.fixture
async def house(desk_office: Office, network: Network) -> AsyncIterator[House]:
    async with house_of(desk_office, network) as house:
        yield house


@pytest.fixture
async def front(desk_office: Office) -> AsyncIterator[Typist]:
    async with typist(desk_office.host, desk_office.ssh_port, LOGIN, PASSWORD) as one:
        yield one


async def answer(house: House, front: Typist, caller: str) -> HandsetCall:
    """A caller rings at the desk and is answered by Enter; the caller's call."""
    call = await house.call(caller, DESK)
    await front.sees(rf"{caller}\b.*for {DESK}")
    front.tap(" ")
    await front.press("Enter", f"answering {caller}")
    assert await call.until(Phase.UP, limit=WAIT_S)
    assert call.phase is Phase.UP
    await front.sees(f"in a call with {caller}")
    return call


async def release(house: House, front: Typist) -> None:
    await front.press("-", "Release this call")
    await front.press("y", "released")
    await house.is_free(DESK)


async def over(call: HandsetCall, house: House, *numbers: str) -> None:
    """The caller hangs up, and nobody is left with it."""
    assert call.phase is Phase.UP, "the caller is lost"
    call.hang_up()
    for number in numbers:
        await house.is_free(number)


async def live(house: House, front: Typist, kind: str, place: int) -> None:
    """One caller of the day."""
    caller, colleague = CALLERS[place % len(CALLERS)], STAFF[place % len(STAFF)]
    call = await answer(house, front, caller)
    match kind:
        case "answer":
            await release(house, front)
            await house.is_free(caller)
        case "transfer":
            await front.type(colleague)
            await front.press("Enter", "undo in")
            await house.has(colleague, Phase.UP)
            await house.is_free(DESK)
            await over(call, house, colleague)
        case "undo":
            await front.type(colleague)
            await front.press("Enter", "undo in")
            await house.has(colleague, Phase.UP)
            await house.is_free(DESK)
            await front.press("U", "comes back to your phone")
            await house.has(DESK, Phase.UP)
            await house.is_free(colleague)
            await front.sees(f"in a call with {caller}")
            assert call.phase is Phase.UP, "the caller is lost"
            await release(house, front)
            await house.is_free(caller)
        case "ask":
            await front.type(colleague)
            await front.press("+", f"asking {colleague}")
            await house.has(colleague, Phase.UP)
            await front.press("+", "undo in")
            await house.is_free(DESK)
            await over(call, house, colleague)
        case "park":
            slot = (await front.press("F5", r"parked: .* on P(\d+)"))[1]
            await house.is_free(DESK)
            fetched = await house.call(colleague, f"*71*{slot}")
            assert await fetched.until(Phase.UP, limit=WAIT_S)
            await over(call, house, colleague)


async def barge_in(office: Office, house: House, front: Typist) -> None:
    """Two colleagues talk, the receptionist comes in and leaves again."""
    talk = await house.call("151", "152")
    assert await talk.until(Phase.UP, limit=WAIT_S)
    await front.type("151")
    await front.sees("151 Person 151.*busy")
    await front.press("F7", "breaks into|in a call with 151")  # its phone answers at once
    await house.has(DESK, Phase.UP)
    calls = await asyncio.to_thread(office.json, "calls")
    assert [call["state"] for call in calls if call["caller"] == "151"] == ["conference"]
    for call in [*house[DESK].calls]:
        call.hang_up()
    await house.is_free(DESK)
    assert talk.phase is Phase.UP
    talk.hang_up()
    await house.is_free("152")


def told(front: Typist) -> str:
    """The figures of the day, a line for each kind of key."""
    lines = []
    for key, taken in sorted(front.latencies_ms.items()):
        p99 = percentile(taken, 99)
        lines.append(f"{key:8} {len(taken):4} keys  median {statistics.median(taken):5.1f} ms  p99 {p99:5.1f} ms")
    every = [each for taken in front.latencies_ms.values() for each in taken]
    return "\n".join([*lines, f"all      {len(every):4} keys  p99 {percentile(every, 99):5.1f} ms"])


def percentile(figures: list[float], percent: int) -> float:
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def test_a_console_lost_in_the_middle_of_a_transfer_loses_no_caller(
    desk_office: Office, house: House
) -> None:
    desk = house[DESK]
    async with typist(desk_office.host, desk_office.ssh_port, LOGIN, PASSWORD) as front:
        house["151"].on_ring = HandsetCall.ring
        call = await answer(house, front, CALLERS[0])
        await front.type("151")
        await front.press("Enter", "undo in")
        await house.is_free(DESK)
        front.cut()
    colleague = await house.has("151", Phase.INCOMING)
    assert call.phase is Phase.UP
    colleague.decline(486)
    back = await house.has(DESK, Phase.INCOMING)
    await back.answer()
    await until(lambda: call.phase is Phase.UP and bool(desk.calls), "the caller is back at the desk")
    async with typist(desk_office.host, desk_office.ssh_port, LOGIN, PASSWORD) as again:
        await again.sees(f"in a call with {CALLERS[0]}")
        await release(house, again)


async def test_two_receptionists_want_the_same_caller(desk_office: Office, house: House, front: Typist) -> None:
    async with typist(desk_office.host, desk_office.ssh_port, LOGIN, PASSWORD) as other:
        call = await house.call(CALLERS[1], DESK)
        for one in (front, other):
            await one.sees(rf"{CALLERS[1]}\b.*for {DESK}")
        await front.press("Enter", "answering")
        assert await call.until(Phase.UP, limit=WAIT_S)
        await front.sees(f"in a call with {CALLERS[1]}")
        other.tap("Enter")
        await other.sees("this call has ended or somebody has answered it|has been answered by|in a call with")
        assert call.phase is Phase.UP
        await release(house, front)


async def test_a_day_of_sixty_callers_loses_nobody_and_every_key_is_quick(
    desk_office: Office, house: House, front: Typist, tmp_path: Path
) -> None:
    others = [await house.call(OTHERS[0], OTHERS[1]) for _ in range(OTHER_CALLS)]
    for call in others:
        assert await call.until(Phase.UP, limit=WAIT_S)
    for place, kind in enumerate(DAY):
        await live(house, front, kind, place)
        if place in (20, 40):
            await barge_in(desk_office, house, front)
    assert [call.phase for call in others] == [Phase.UP] * OTHER_CALLS
    for call in others:
        call.hang_up()
    await house.is_free(OTHERS[1])
    figures = told(front)
    print(figures)
    records = desk_office.json("records")
    of_day = [each for each in records if each["caller"] in CALLERS]
    assert len(of_day) >= len(DAY)
    assert [each for each in of_day if each["answered_at"] is None] == []
    assert desk_office.json("calls") == []
    every = [each for taken in front.latencies_ms.values() for each in taken]
    assert percentile(every, 99) < MOST_MS, figures
