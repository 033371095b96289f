"""A fuzzing campaign: mutated messages, the oracle that judges them, and what is kept of a failure."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

DATA = Path(__file__).parents[1] / "data"
CORPUS = DATA / "corpus"

Check = Callable[[bytes], None]
"""Raises whatever shows that a message was handled wrongly; returns for one that was served, refused or dropped."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a campaign ends: after ``executions``, or after ``seconds`` once it has had ``at_least`` of them."""

    seconds: float = 60.0
    at_least: int = 20_000
    executions: int | None = None
    seed: int = 1


@dataclass(slots=True)
class Report:
    """What a campaign did; ``findings`` are one line each, empty when all is well."""

    name: str
    executions: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0.0
        outcome = f"{len(self.findings)} findings" if self.findings else "no finding"
        return f"{self.name}: {self.executions} executions in {self.seconds:.1f} s ({rate:.0f}/s), {outcome}"


class Target(Protocol):
    """One thing to fuzz; whoever adds one lists it in ``targets``."""

    @property
    def name(self) -> str: ...

    def run(self, limits: Limits) -> Report:
        """Fuzz within ``limits``; never raises for a finding."""
        ...


class Harness(Protocol):
    """The world that a campaign's messages are thrown into."""

    def check(self, message: bytes) -> None:
        """Handle one message; raises when it was handled wrongly."""
        ...

    def close(self) -> None:
        """End the world; raises when something of the messages is left in it."""
        ...


@dataclass(frozen=True, slots=True)
class Campaign:
    """A target of ``seeds`` that ``change`` mutates; each ``world(seed)`` takes a ``batch`` and is then empty."""

    name: str
    seeds: Sequence[bytes]
    change: Callable[[bytes, Random], bytes]
    world: Callable[[int], Harness]
    batch: int = 250

    def run(self, limits: Limits) -> Report:
        report, began = Report(self.name), time.monotonic()
        batch = 0
        while not self._is_over(limits, report, time.monotonic() - began):
            batch += 1
            self._run_batch(limits.seed * 1_000_003 + batch, report)
        report.seconds = time.monotonic() - began
        return report

    def _is_over(self, limits: Limits, report: Report, seconds: float) -> bool:
        if len(report.findings) >= _MOST_FINDINGS:
            return True
        if limits.executions is not None:
            return report.executions >= limits.executions
        return report.executions >= limits.at_least and seconds >= limits.seconds

    def _run_batch(self, seed: int, report: Report) -> None:
        chance = Random(seed)
        world = self.world(seed)
        thrown: list[bytes] = []
        try:
            for _ in range(self.batch):
                thrown.append(self.change(chance.choice(self.seeds), chance))
                report.executions += 1
                world.check(thrown[-1])
        except Exception as error:
            self._keep(seed, thrown, error, report)
            return
        finally:
            error_at_end = _closed(world)
        if error_at_end is not None:
            self._keep(seed, thrown, error_at_end, report)

    def _keep(self, seed: int, thrown: list[bytes], error: Exception, report: Report) -> None:
        """Make the failure small and write it beside the corpus, where the unit tests find it again."""

        def fails(messages: Sequence[bytes]) -> bool:
            world = self.world(seed)
            try:
                for message in messages:
                    world.check(message)
            except Exception as again:
                _closed(world)
                return type(again) is type(error)
            return _closed(world) is not None

        culprit = [thrown[-1]] if fails(thrown[-1:]) else _fewer(thrown, fails)
        if len(culprit) == 1:
            culprit = [minimised(culprit[0], lambda message: fails([message]))]
        where = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{Path(where.filename).name}:{where.lineno}"
        names = ", ".join(str(keep(self.name, message)) for message in culprit)
        report.findings.append(f"batch {seed}: {type(error).__name__} {error} at {at}; kept as {names}")


def _closed(world: Harness) -> Exception | None:
    try:
        world.close()
    except Exception as error:
        return error
    return None


def _fewer(messages: list[bytes], fails: Callable[[Sequence[bytes]], bool]) -> list[bytes]:
    """A failure that takes several messages, with those left out that it does not need."""
    until = time.monotonic() + _LONGEST_S
    size = len(messages) // 2
    while size:
        start = 0
        while start < len(messages) and time.monotonic() < until:
            fewer = messages[:start] + messages[start + size :]
            if fewer and fails(fewer):
                messages = fewer
            else:
                start += size
        size //= 2
    return messages


def minimised(message: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """``message`` without the parts that it need not have to fail, or as far as half a minute gets."""
    until = time.monotonic() + _LONGEST_S
    size = len(message) // 2
    while size:
        start = 0
        while start < len(message) and time.monotonic() < until:
            shorter = message[:start] + message[start + size :]
            if shorter and fails(shorter):
                message = shorter
            else:
                start += size
        size //= 2
    return message


def keep(name: str, message: bytes) -> Path:
    """Write a message into the corpus called ``name``."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"found-{hashlib.blake2s(message, digest_size=6).hexdigest()}"
    path.write_bytes(message)
    return path


def corpus(name: str) -> list[bytes]:
    """What is kept of earlier campaigns and of real phones, in a fixed order."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir()) if path.is_file()]


_MOST_FINDINGS = 3
_LONGEST_S = 30.0
"""Spent on making one failure small."""
