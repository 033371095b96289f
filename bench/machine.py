"""The machine a bench runs on: its cores, what a process used of them, and how it describes itself."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Cores:
    """The core that is measured and the one that makes the load; the same one where there is only one."""

    measured: int
    load: int

    @property
    def on_measured(self) -> tuple[str, ...]:
        """Command prefix that pins to the measured core."""
        return ("taskset", "-c", str(self.measured))

    @property
    def on_load(self) -> tuple[str, ...]:
        """Command prefix that pins to the load's core."""
        return ("taskset", "-c", str(self.load))


def choose_cores() -> Cores:
    """The last two cores this process may use: the first one gets most of a machine's interrupts."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[-1], allowed[-2] if len(allowed) > 1 else allowed[-1])


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def busy_seconds(core: int) -> float:
    """Seconds for which a core was not idle so far, whoever used it: near 1 a second it is what limits a load."""
    times = psutil.cpu_times(percpu=True)[core]
    return float(sum(times[:7]) - times.idle - getattr(times, "iowait", 0.0))


def cpu_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds by the threads' names."""
    seconds: dict[str, float] = {}
    for thread in psutil.Process(pid).threads():
        name_file = Path(f"/proc/{pid}/task/{thread.id}/comm")
        name = name_file.read_text().strip() if name_file.exists() else "ended"
        seconds[name] = seconds.get(name, 0.0) + thread.user_time + thread.system_time
    return seconds


def is_compiled() -> bool:
    """Whether the engine that is measured has its hot modules as machine code (``make compile``)."""
    found = importlib.util.find_spec("engine.sip.message")
    return found is not None and not str(found.origin).endswith(".py")


def describe(cores: Cores) -> dict[str, object]:
    """What a reader of the figures must know of the machine."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "measured_core": cores.measured,
        "load_core": cores.load,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "is_compiled": is_compiled(),
        "load_average_before": os.getloadavg()[0],
    }
