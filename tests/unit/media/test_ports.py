"""Port pairs of the native gateway: lent to one leg after another, with a rest between, and bounded in number."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.media.gateway import Clip, LegPlan, MediaAddress
from engine.media.native import NativeGateway

from .phones import PCMA, Phone, own_host, rtp, until

HOST = own_host(5)
MIB = 1024 * 1024


@asynccontextmanager
async def running(first: int, last: int, rest_s: float) -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(first, last, rest_s=rest_s)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def use(gateway: NativeGateway, host: str = HOST) -> MediaAddress:
    """Open a leg and close it again."""
    leg, address = await gateway.open_leg(host)
    await gateway.close_leg(leg)
    return address


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_closed_pair_rests_while_any_other_is_free() -> None:
    async with running(37200, 37219, rest_s=600) as gateway:
        ports = [(await use(gateway)).port for _ in range(10)]
        assert len(set(ports)) == 10


async def test_a_range_that_is_used_up_cuts_the_longest_rest_short() -> None:
    async with running(37200, 37209, rest_s=600) as gateway:
        ports = [(await use(gateway)).port for _ in range(5)]
        assert [(await use(gateway)).port for _ in range(5)] == ports


async def test_a_rested_pair_is_the_next_to_be_used() -> None:
    async with running(37200, 37299, rest_s=0.05) as gateway:
        first = (await use(gateway)).port

        async def comes_again() -> bool:
            return (await use(gateway)).port == first

        await until(comes_again)


async def test_a_pair_in_use_is_lent_to_nobody_else() -> None:
    async with running(37200, 37299, rest_s=0) as gateway:
        _, kept = await gateway.open_leg(HOST)
        for _ in range(500):
            assert (await use(gateway)).port != kept.port


async def test_each_of_our_hosts_has_the_whole_range() -> None:
    async with running(37200, 37203, rest_s=600) as gateway:
        for host in (HOST, own_host(6), "::1"):
            assert {(await gateway.open_leg(host))[1].port for _ in range(2)} == {37200, 37202}


async def test_late_packets_of_the_old_call_reach_no_new_one() -> None:
    phone = Phone("127.3.5.1")
    plan = LegPlan(phone.address, (PCMA,))
    async with running(37200, 37201, rest_s=600) as gateway:
        old, address = await gateway.open_leg(HOST)
        await gateway.update_leg(old, plan)
        await gateway.connect(old, old)
        phone.send(address, rtp(1, ssrc=1))
        phone.hear()
        await gateway.close_leg(old)
        for sequence in range(2, 50):
            phone.send(address, rtp(sequence, ssrc=1))
        new, again = await gateway.open_leg(HOST)
        assert again == address
        await gateway.update_leg(new, plan)
        await gateway.connect(new, new)
        phone.send(address, rtp(1, ssrc=2, payload=b"new"))
        assert phone.hear().payload == b"new"
        assert phone.hears_nothing()
    phone.close()


async def test_a_phone_that_missed_the_end_of_its_call_is_told_by_the_kernel() -> None:
    async with running(37200, 37299, rest_s=0.1) as gateway:
        address = await use(gateway)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf_phone:
            deaf_phone.connect((address.host, address.port))

            async def is_refused() -> bool:
                try:
                    deaf_phone.send(rtp(1))
                except ConnectionRefusedError:
                    return True
                return False

            await until(is_refused)


@pytest.mark.thorough
@pytest.mark.parametrize("rest_s", [0.0, 0.002])
async def test_a_hundred_thousand_legs_leave_nothing_behind(rest_s: float) -> None:
    """Once with pairs that are used again at once, once with pairs that are closed and bound anew."""
    plan = LegPlan(MediaAddress("127.3.5.1", 9, 9), (PCMA,))
    beep = Clip("beep", b"\0\1" * 80)
    async with running(38000, 39999, rest_s) as gateway:

        async def call() -> None:
            leg, _ = await gateway.open_leg(HOST)
            await gateway.update_leg(leg, plan)
            await gateway.play(leg, beep)
            await gateway.connect(leg, leg)
            await gateway.close_leg(leg)

        for _ in range(10_000):
            await call()
        memory, files = resident_bytes(), descriptors()
        for _ in range(90_000):
            await call()
        assert resident_bytes() - memory < 2 * MIB
        assert gateway.sessions == 0

        async def files_are_closed() -> bool:
            return descriptors() <= files

        await until(files_are_closed)


def test_a_process_that_may_open_few_files_keeps_few_pairs() -> None:
    code = f"""
import asyncio, os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from engine.media.native import NativeGateway
async def main():
    gateway = NativeGateway(37200, 37999, rest_s=600)
    await gateway.start()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        legs = [(await gateway.open_leg("{HOST}"))[0] for _ in range(35)]
        for leg in legs:
            await gateway.close_leg(leg)
    last, _ = await gateway.open_leg("{HOST}")
    for _ in range(100):
        open_files = len(os.listdir("/proc/self/fd")) - before
        if open_files <= 2 * 256 // 8 + 2:
            break
        await asyncio.sleep(0.02)
    assert open_files <= 2 * 256 // 8 + 2, open_files
    await gateway.stop()
asyncio.run(main())
"""
    root = str(Path(__file__).resolve().parents[3])
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30, cwd=root)
