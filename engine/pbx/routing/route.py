"""Where a call goes, and the steps by which that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine.store.configuration import Extension
from engine.store.outside import Trunk


@dataclass(frozen=True, slots=True)
class ToExtension:
    """The call goes to an extension of the office."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class ToService:
    """A service takes the call."""

    service: str
    argument: str = ""
    """What was dialled behind its code."""
    settings: tuple[tuple[str, str], ...] = ()
    group: str | None = None
    """The group that it serves."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The call goes nowhere; ``status`` and ``reason`` answer it."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class ToTrunks:
    """The call goes outside: by the first of the trunks that takes it."""

    trunks: tuple[Trunk, ...]
    number: str
    """What the carrier is asked for."""
    caller: str | None
    """The number that the carrier is told of the caller; ``None`` withholds it."""
    is_emergency: bool = False


Route = ToExtension | ToTrunks | ToService | Refused


class Step(NamedTuple):
    """One step of a decision: ``key`` names the sentence that a face says it with, ``values`` fill it in."""

    key: str
    values: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Decision:
    """A route and how it was found."""

    route: Route
    steps: tuple[Step, ...] = ()
