"""sipp as the load: scenarios filled in, started on the load's core, and what it counted."""

from __future__ import annotations

import contextlib
import csv
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.machine import Cores
from tests.live import processes

SCENARIOS = Path(__file__).with_name("scenarios")


@dataclass(frozen=True, slots=True)
class Load:
    """One run of load: ``count`` calls or registrations at ``rate`` a second."""

    rate: int
    count: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What sipp counted in one run; a retransmission is one that sipp had to send."""

    created: int
    successful: int
    failed: int
    retransmissions: int
    seconds: float
    attained_per_s: float
    response_ms: float
    """Mean time from the first request to the final answer, the challenge included."""

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def fill(scenario: str, folder: Path, **values: str) -> Path:
    """A scenario with its ``{names}`` filled in, as a file in ``folder``."""
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    path = folder / f"{scenario}-{len(list(folder.glob('*.xml')))}.xml"
    path.write_text(text)
    return path


def run(
    scenario: Path,
    target: str,
    source: tuple[str, int],
    load: Load,
    cores: Cores,
    *options: str,
    hold_s: float = 0.0,
) -> Counted:
    """Drive ``load`` at ``target`` (``host:port``) from ``source``; raises ``RuntimeError`` when sipp cannot.

    ``hold_s`` is how long each call lasts: the last ones end that much after they were placed.
    """
    folder = scenario.parent
    statistics = scenario.with_suffix(".csv")
    log = scenario.with_suffix(".log")
    limit_s = load.count / load.rate + 45
    command: list[str | Path] = [
        *cores.on_load, "sipp", target, "-sf", scenario, "-i", source[0], "-p", str(source[1]),
        "-m", str(load.count), "-r", str(load.rate), "-l", str(max(load.rate * 10, 50)), "-nostdin",
        "-trace_stat", "-stf", statistics, "-fd", "1", "-timeout", f"{limit_s:.0f}s", "-timeout_error",
        "-recv_timeout", "16000", "-buff_size", "4194304", *options,
    ]  # fmt: skip
    process = processes.start(command, log=log, cwd=folder, environment={"TERM": "dumb"})
    try:
        process.wait(limit_s + 15)
    except subprocess.TimeoutExpired:
        pass
    finally:
        processes.stop(process)
    if not statistics.exists():
        raise RuntimeError(f"sipp did not run: {log.read_text(errors='replace')[-500:]}")
    return _read(statistics, hold_s)


def _read(statistics: Path, hold_s: float) -> Counted:
    with statistics.open(newline="") as file:
        last = [row for row in csv.DictReader(file, delimiter=";") if row.get("TotalCallCreated")][-1]
    seconds = _seconds(last["ElapsedTime(C)"])
    successful = int(last["SuccessfulCall(C)"])
    return Counted(
        created=int(last["TotalCallCreated"]),
        successful=successful,
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
        seconds=round(seconds, 2),
        attained_per_s=round(successful / max(seconds - hold_s, 0.001), 1),
        response_ms=round(_seconds(last["ResponseTime1(C)"]) * 1000, 2),
    )


def _seconds(text: str) -> float:
    """``HH:MM:SS`` or ``HH:MM:SS:micros`` in seconds."""
    hours, minutes, rest, *fraction = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest) + (int(fraction[0]) / 1e6 if fraction else 0.0)


@contextmanager
def callee(
    folder: Path, user: str, source: tuple[str, int], cores: Cores, scenario: str = "callee"
) -> Iterator[None]:
    """A phone on the load's core that plays the scenario with every call meanwhile."""
    filled = fill(scenario, folder, user=user)
    process = processes.start(
        [
            *cores.on_load, "sipp", "-sf", filled, "-i", source[0], "-p", str(source[1]), "-nostdin",
            "-buff_size", "4194304",
        ],
        log=filled.with_suffix(".log"), cwd=folder, environment={"TERM": "dumb"},
    )  # fmt: skip
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            raise RuntimeError(f"sipp did not run: {filled.with_suffix('.log').read_text(errors='replace')[-500:]}")
        yield
    finally:
        processes.stop(process, within_s=2)
