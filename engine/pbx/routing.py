"""Where a dialled number goes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.store.configuration import Configuration, Extension
from engine.store.outside import Trunk


@dataclass(frozen=True, slots=True)
class ToExtension:
    """The call goes to an extension of the office."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class ToService:
    """A service takes the call."""

    service: str


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

_CODES = {"code_echo_test": "echo"}
"""The site parameter that holds a code, and the service behind it."""


def route_number(configuration: Configuration, caller: Extension, dialled: str) -> Route:
    """The target of a number that an extension dialled."""
    if dialled == caller.number:
        return Refused(486, "Own Number")
    extension = configuration.extensions.get(dialled)
    if extension is not None:
        return ToExtension(extension)
    for param, service in _CODES.items():
        if configuration.params[param] == dialled:
            return ToService(service)
    return Refused(404, "No Such Number")
