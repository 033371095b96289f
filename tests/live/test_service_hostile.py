"""Services that mean harm in a running office with fifty calls: only their own caller notices. Prints figures."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.phones.handset import Handset
from tests.live import processes
from tests.live.crowd import Crowd, a_crowd, furnish
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, new_office
from tests.live.scene import until
from tests.unit.services.test_hostile import HOSTILE

CALLS = 50
QUIET_S = 6.0
MALLORY, WITNESS = "666", "667"
HANGS = 'return (("a"):rep(40)):find(("a?"):rep(40) .. ("a"):rep(40))'
"""Stays inside one library function for ever: two threads are given up so, then services are refused."""
ROUNDS = 3
"""Each of the others so many times."""
DELAY_MS, LOST_PERCENT, JITTER_MS = 20.0, 0.5, 10.0
"""What nothing else may be delayed by; and what audio may suffer."""


@dataclass
class Answers:
    """How fast the office answered, as another process saw it."""

    file: Path

    def between(self, began: float, ended: float) -> list[float]:
        """Milliseconds, the fastest first."""
        lines = [line.split() for line in self.file.read_text().splitlines()]
        return sorted(float(took) for at, took in lines if began <= float(at) < ended)


@contextmanager
def asked(office: Office, file: Path) -> Iterator[Answers]:
    process = processes.start([sys.executable, "-m", "tests.live.ping", office.host, str(SIP_PORT)], log=file)
    try:
        yield Answers(file)
    finally:
        processes.stop(process)


def share(figures: list[float], part: float) -> float:
    return figures[min(len(figures) - 1, int(len(figures) * part))]


async def dials_in_vain(mallory: Handset) -> float:
    """A call of a hostile service, until it is over; the milliseconds that took."""
    began = time.perf_counter()
    call = await mallory.call("*43")
    assert await call.until(limit=15), "a hostile service holds its call"
    await call.closed
    return (time.perf_counter() - began) * 1000


async def assert_undisturbed(crowd: Crowd) -> str:
    """Every phone has heard nearly all there was to hear, in time."""
    heard = await crowd.heard()
    assert len(heard) >= 2 * CALLS
    lost, jitter = max(each.loss_percent for each in heard), max(each.jitter_ms for each in heard)
    assert min(each.packets for each in heard) > 200
    assert lost <= LOST_PERCENT, f"a phone has missed {lost:.2f} % of its audio"
    assert jitter <= JITTER_MS, f"audio came to a phone with {jitter:.1f} ms of jitter"
    return f"{len(heard)} phones, at most {lost:.2f} % lost, at most {jitter:.2f} ms of jitter"


@pytest.mark.timeout(150)
async def test_fifty_calls_notice_nothing(tmp_path: Path, network: Network) -> None:
    office = new_office(tmp_path, network)
    office.media_ports, ports = network.ports(500), network.ports(500)
    pairs = [(f"1{place:03d}", f"2{place:03d}") for place in range(CALLS)]
    furnish(office, [MALLORY, WITNESS, *(number for pair in pairs for number in pair)])
    own = office.state / "lua" / "services"
    own.mkdir(parents=True)
    office.start()
    try:
        async with a_crowd(office, network, ports) as crowd:
            await crowd.pairs_talk(pairs)
            mallory, witness = await crowd.phone(MALLORY), await crowd.phone(WITNESS)
            with asked(office, tmp_path / "answers") as answers:
                await until(lambda: answers.file.exists() and answers.file.read_text(), "the office answers")
                began = time.monotonic()
                await asyncio.sleep(QUIET_S)
                quiet = answers.between(began, time.monotonic())
                began = time.monotonic()
                took = await harm(own, mallory)
                hostile = answers.between(began, time.monotonic())
                print(f"\n{len(took)} hostile services, {ROUNDS} times each, beside {CALLS} calls")
                slowest = max(took, key=lambda name: took[name])
                print(f"the slowest ended its own call after {took[slowest]:.0f} ms: {slowest}")
                for name, figures in (("quiet", quiet), ("hostile", hostile)):
                    print(
                        f"answers while {name}: {len(figures)}, median {share(figures, 0.5):.2f} ms, "
                        f"p99 {share(figures, 0.99):.2f} ms, worst {figures[-1]:.2f} ms"
                    )
                print(await assert_undisturbed(crowd))
                assert share(hostile, 0.99) < share(quiet, 0.99) + DELAY_MS
                assert office.json("status")["loop_delay_ms"]["p99"] < DELAY_MS
                await hang(office, own, mallory, answers)
            print(await assert_undisturbed(crowd))
            assert [call["state"] for call in office.json("calls")] == ["talking"] * CALLS
            (own / "echo.lua").unlink()
            again = await witness.call("*43")
            assert await again.until(limit=5)
        office.stop()
    finally:
        if office.process:
            processes.stop(office.process)
    assert "Traceback" not in office.log()


async def harm(own: Path, mallory: Handset) -> dict[str, float]:
    """Every hostile service has its calls; the slowest of each."""
    took: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, body in HOSTILE.items():
            (own / "echo.lua").write_text(
                f"local service = {{}}\nfunction service.run(call)\n{body}\nend\nreturn service\n"
            )
            took[name] = max(took.get(name, 0.0), await dials_in_vain(mallory))
    return took


async def hang(office: Office, own: Path, mallory: Handset, answers: Answers) -> None:
    """Two threads hang for ever: an alarm each, and then services are refused while calls go on."""
    (own / "echo.lua").write_text(HANGS)
    began = time.monotonic()
    for _ in range(3):
        await dials_in_vain(mallory)
    await asyncio.sleep(QUIET_S / 2)
    figures = answers.between(began, time.monotonic())
    print(f"answers while two threads hang: p99 {share(figures, 0.99):.2f} ms, worst {figures[-1]:.2f} ms")
    assert office.log().count("hangs: a step took longer than") == 2
    assert share(figures, 0.5) < DELAY_MS
