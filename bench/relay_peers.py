"""The three relays that the bench compares, each in a process pinned to the measured core."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Cores
from bench.ng import NgClient

ROOT = Path(__file__).resolve().parents[1]
RELAY_HOST = "127.3.0.9"
PHONE_HOST = "127.3.0.5"
V6_HOST = "::1"
RTPENGINE_CONTROL = 12243
RTPENGINE = "rtpengine"
REAL_TIME_PRIORITY = 10


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay: its process, and where each phone sends; every other phone to the second of two hosts."""

    pid: int
    ports: list[int]
    hosts: tuple[str, ...]
    scheduling: str


def compile_program(name: str, folder: Path) -> Path:
    """Build ``bench/native/NAME.c``; a failing compiler raises ``RuntimeError`` with what it says."""
    source, target = ROOT / "bench/native" / f"{name}.c", folder / name
    command = ["gcc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", str(source), "-o", str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise RuntimeError("gcc is missing: apt-get install gcc") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{source.name} does not compile: {error.stderr.strip()}") from None
    return target


def pinned(core: int, *command: str, real_time: bool = True) -> list[str]:
    """The command on one core, in real time where that is allowed: so the relays meet equal conditions."""
    prefix = ["taskset", "-c", str(core)]
    if real_time and may_run_real_time():
        prefix += ["chrt", "--rr", str(REAL_TIME_PRIORITY)]
    return [*prefix, *command]


def may_run_real_time() -> bool:
    done = subprocess.run(["chrt", "--rr", str(REAL_TIME_PRIORITY), "true"], capture_output=True, timeout=10)
    return done.returncode == 0


@contextmanager
def process(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A child with pipes that ends with the block."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, **options)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


@contextmanager
def native_relay(
    cores: Cores,
    calls: int,
    ports: list[int],
    busy_threads: int = 0,
    is_real_time: bool = True,
    hosts: tuple[str, ...] = (RELAY_HOST,),
    peers: tuple[str, ...] = (PHONE_HOST,),
) -> Iterator[Relay]:
    """The product's own gateway; its Python stays in ordinary scheduling, its thread asks for more by itself.

    ``busy_threads`` Python threads compute meanwhile in its process, on its core; without ``is_real_time`` it may
    not ask for more. Every other leg is on the second of ``hosts`` towards the second of ``peers``.
    """
    command = pinned(cores.measured, sys.executable, "-m", "bench.relay_native", real_time=False)
    with process(command) as child:
        order: dict[str, object] = {"hosts": hosts, "calls": calls, "ports": ports, "peers": peers}
        order |= {"busy_threads": busy_threads, "is_real_time": is_real_time}
        assert child.stdin
        assert child.stdout
        child.stdin.write(json.dumps(order) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        if not line:
            raise RuntimeError("the native gateway did not start")
        answer = json.loads(line)
        yield Relay(child.pid, answer["ports"], hosts, answer["scheduling"])


@contextmanager
def echo_relay(cores: Cores, calls: int, ports: list[int]) -> Iterator[Relay]:
    """The floor: one recvmmsg and one sendmmsg a packet, with as many sockets as the calls have legs."""
    with tempfile.TemporaryDirectory() as folder:
        program = compile_program("echo", Path(folder))
        with process(pinned(cores.measured, str(program), RELAY_HOST, str(2 * calls))) as child:
            assert child.stdout
            found = [int(port) for port in child.stdout.readline().split()]
            yield Relay(child.pid, found, (RELAY_HOST,), _scheduling(child.pid))


@contextmanager
def rtpengine_relay(cores: Cores, calls: int, ports: list[int]) -> Iterator[Relay]:
    """rtpengine in userspace, one worker on the one core."""
    options = ["--config-file=none", "-f", "-E", "--table=-1", "-i", RELAY_HOST, "--log-level=2", "--num-threads=1"]
    options += ["-n", f"{RELAY_HOST}:{RTPENGINE_CONTROL}", "-m", "20000", "-M", "60000"]
    with process(pinned(cores.measured, RTPENGINE, *options), stderr=subprocess.DEVNULL) as child:
        client = NgClient(RELAY_HOST, RTPENGINE_CONTROL)
        try:
            found: list[int] = []
            for call in range(calls):
                pair = (ports[2 * call % len(ports)], ports[(2 * call + 1) % len(ports)])
                found += client.open_call(f"bench-{call}", PHONE_HOST, pair)
            yield Relay(child.pid, found, (RELAY_HOST,), _scheduling(child.pid))
        finally:
            client.close()


def has_rtpengine() -> bool:
    return shutil.which(RTPENGINE) is not None


def _scheduling(pid: int) -> str:
    return "SCHED_RR" if os.sched_getscheduler(pid) == os.SCHED_RR else "SCHED_OTHER"
