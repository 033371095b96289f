"""Ports, threads and descriptors of the native gateway: taken, released, and never left behind."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.media.gateway import (
    Clip,
    LegPlan,
    MediaAddress,
    MediaGateway,
    MediaLegId,
    PayloadFormat,
    PortsExhaustedError,
)
from engine.media.native import NativeGateway, UnplayableError

from .phones import EVENT, PCMA, Phone, own_host, rtp, until

HOST = own_host(1)


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(36000, 36009, rest_s=60)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def brief_gateway() -> AsyncIterator[NativeGateway]:
    """Its ports rest for a moment only."""
    gateway = NativeGateway(36100, 36999, rest_s=0.05)
    await gateway.start()
    yield gateway
    await gateway.stop()


def media_policy() -> int:
    """How the system schedules this process's media thread."""
    (thread,) = (task for task in Path("/proc/self/task").iterdir() if (task / "comm").read_text() == "media\n")
    return os.sched_getscheduler(int(thread.name))


async def test_the_media_thread_goes_first_where_that_is_allowed_and_says_so(gateway: NativeGateway) -> None:
    assert (media_policy() == os.SCHED_RR) == gateway.is_real_time
    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if os.geteuid() == 0 or allowed >= 10:
        assert gateway.is_real_time
    await gateway.stop()
    assert not gateway.is_real_time


def test_without_the_right_the_media_thread_runs_as_any_other() -> None:
    """Real-time priority is taken from a child that has given up the right to it."""
    run_python(
        f"""
import asyncio, os, resource
from engine.media.native import NativeGateway
async def main():
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    gateway = NativeGateway(36000, 36999)
    await gateway.start()
    assert not gateway.is_real_time
    await gateway.open_leg("{HOST}")
    await gateway.stop()
asyncio.run(main())
"""
    )


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))


async def test_it_is_a_media_gateway(gateway: NativeGateway) -> None:
    face: MediaGateway = gateway
    assert face.backend == "native"


async def test_ports_are_even_and_odd_and_rotate(gateway: NativeGateway) -> None:
    seen = set()
    for _ in range(5):
        leg, address = await gateway.open_leg(HOST)
        assert address.rtcp_port == address.port + 1
        seen.add(address.port)
        await gateway.close_leg(leg)
    assert seen == {36000, 36002, 36004, 36006, 36008}


async def test_an_exhausted_range_says_so_and_recovers_at_once(gateway: NativeGateway) -> None:
    legs = [(await gateway.open_leg(HOST))[0] for _ in range(5)]
    with pytest.raises(PortsExhaustedError, match="36000 to 36009"):
        await gateway.open_leg(HOST)
    assert gateway.sessions == 5
    for _ in range(20):
        await gateway.close_leg(legs.pop(0))
        legs.append((await gateway.open_leg(HOST))[0])


async def test_ports_of_others_are_skipped(gateway: NativeGateway) -> None:
    takers = []
    for port in (36000, 36003, 36004):
        taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taker.bind((HOST, port))
        takers.append(taker)
    assert [(await gateway.open_leg(HOST))[1].port for _ in range(2)] == [36006, 36008]
    with pytest.raises(PortsExhaustedError):
        await gateway.open_leg(HOST)
    for taker in takers:
        taker.close()
    assert {(await gateway.open_leg(HOST))[1].port for _ in range(3)} == {36000, 36002, 36004}


@pytest.mark.parametrize("host", ["192.0.2.1", "no host", "0.0.0.0", "::", "2001:db8::1"])
async def test_a_host_that_is_none_of_ours_is_refused(gateway: NativeGateway, host: str) -> None:
    with pytest.raises(OSError, match="Cannot assign"):
        await gateway.open_leg(host)
    assert gateway.sessions == 0


async def test_closed_legs_are_unknown_to_every_method(gateway: NativeGateway) -> None:
    leg, _ = await gateway.open_leg(HOST)
    other, _ = await gateway.open_leg(HOST)
    await gateway.close_leg(leg)
    for call in (gateway.disconnect, gateway.stop_playing, gateway.query, gateway.close_leg):
        with pytest.raises(KeyError):
            await call(leg)
    with pytest.raises(KeyError):
        await gateway.connect(other, leg)
    with pytest.raises(KeyError):
        await gateway.connect(leg, other)
    with pytest.raises(KeyError):
        await gateway.update_leg(leg, LegPlan(None, ()))
    with pytest.raises(KeyError):
        await gateway.play(leg, Clip("x", b"\0\0"))
    with pytest.raises(KeyError):
        await gateway.query(MediaLegId(0))


@pytest.mark.parametrize(
    "plan",
    [
        LegPlan(MediaAddress("phone.example", 4000, 4001), (PCMA,)),
        LegPlan(MediaAddress("127.0.0.1", 65536, 4001), (PCMA,)),
        LegPlan(MediaAddress("127.0.0.1", 4000, -1), (PCMA,)),
        LegPlan(None, (PayloadFormat(128, "PCMA", 8000),)),
        LegPlan(None, (PayloadFormat(8, "PCMA", 0),)),
        LegPlan(None, (PayloadFormat(8, "X" * 24, 8000),)),
        LegPlan(None, (PCMA,) * 33),
        LegPlan(None, (PCMA,), trusted_hosts=("somewhere",)),
    ],
)
async def test_plans_that_make_no_sense_are_refused(gateway: NativeGateway, plan: LegPlan) -> None:
    leg, _ = await gateway.open_leg(HOST)
    with pytest.raises(ValueError):
        await gateway.update_leg(leg, plan)


async def test_only_legs_whose_codec_we_know_and_real_clips_are_played(gateway: NativeGateway) -> None:
    leg, _ = await gateway.open_leg(HOST)
    with pytest.raises(UnplayableError, match=r"none of G722, .*PCMA, PCMU"):
        await gateway.play(leg, Clip("music", b"\0\0"))
    await gateway.update_leg(leg, LegPlan(None, (PayloadFormat(18, "G729", 8000), EVENT)))
    with pytest.raises(UnplayableError):
        await gateway.play(leg, Clip("music", b"\0\0"))
    await gateway.update_leg(leg, LegPlan(None, (PCMA,)))
    with pytest.raises(ValueError, match="needs a sample"):
        await gateway.play(leg, Clip("nothing", b""))


async def test_an_end_leaves_no_thread_no_descriptor_and_no_port() -> None:
    before, threads = descriptors(), native_threads()
    gateway = NativeGateway(36000, 36999)
    phone = Phone("127.3.1.1")
    for _ in range(3):
        await gateway.start()
        assert native_threads() == threads + 1
        legs = [await gateway.open_leg(HOST) for _ in range(200)]
        for leg, _ in legs:
            await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
            await gateway.play(leg, Clip("tone", b"\1\0" * 800), repeat=True)
        phone.hear()
        await gateway.stop()
        assert native_threads() == threads
        assert gateway.sessions == 0
        for _, address in legs[:5]:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((HOST, address.port))
    phone.close()
    del gateway
    assert descriptors() == before


async def test_a_port_that_nobody_uses_again_is_given_back(brief_gateway: NativeGateway) -> None:
    leg, address = await brief_gateway.open_leg(HOST)
    await brief_gateway.close_leg(leg)

    async def free() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((HOST, address.port))
            except OSError:
                return False
            return True

    await until(free)


async def test_a_gateway_that_was_never_started_says_so() -> None:
    gateway = NativeGateway(36000, 36009)
    with pytest.raises(RuntimeError, match="start it first"):
        await gateway.open_leg(HOST)
    await gateway.stop()


@pytest.mark.parametrize(("first", "last"), [(36001, 36002), (40000, 30000), (30000, 65536), (0, 100), (-2, 100)])
def test_a_range_without_a_pair_is_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="no even and odd pair"):
        NativeGateway(first, last)


def run_python(code: str) -> None:
    root = str(Path(__file__).resolve().parents[3])
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=20, cwd=root)


FORGOTTEN = f"""
import asyncio
from engine.media.native import NativeGateway
async def main():
    global gateway
    gateway = NativeGateway(36000, 36999)
    await gateway.start()
    for _ in range(20):
        await gateway.open_leg("{HOST}")
asyncio.run(main())
"""


def test_an_interpreter_ends_with_a_forgotten_gateway() -> None:
    run_python(FORGOTTEN)


def test_a_forked_child_neither_waits_for_the_thread_nor_hurts_it() -> None:
    run_python(
        FORGOTTEN
        + f"""
import os
child = os.fork()
if child == 0:
    del gateway
    os._exit(7)
assert os.waitpid(child, 0)[1] >> 8 == 7
async def after():
    assert (await gateway.open_leg("{HOST}"))[1].port >= 36000
    await gateway.stop()
asyncio.run(after())
"""
    )


async def test_the_thread_needs_no_interpreter_lock() -> None:
    """A thread that keeps the lock for long must not delay packets."""
    gateway = NativeGateway(36000, 36009)
    await gateway.start()
    phone = Phone("127.3.1.1")
    leg, address = await gateway.open_leg(HOST)
    await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
    await gateway.connect(leg, leg)
    phone.send(address, rtp(1))
    before = time.perf_counter()
    sum(range(3_000_000))  # one C call: the lock is held throughout
    held_s = time.perf_counter() - before
    phone.rtp.setblocking(False)
    assert phone.rtp.recv(2048)
    assert held_s > 0.005
    phone.close()
    await gateway.stop()
