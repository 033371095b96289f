"""Where a dialled number goes."""

from __future__ import annotations

from dataclasses import dataclass

from engine.store.configuration import Configuration, Extension


@dataclass(frozen=True, slots=True)
class ToExtension:
    """The call goes to an extension of the office."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class Refused:
    """The call goes nowhere; ``status`` and ``reason`` answer it."""

    status: int
    reason: str


Route = ToExtension | Refused


def route_number(configuration: Configuration, caller: Extension, dialled: str) -> Route:
    """The target of a number that an extension dialled."""
    if dialled == caller.number:
        return Refused(486, "Own Number")
    extension = configuration.extensions.get(dialled)
    if extension is None:
        return Refused(404, "No Such Number")
    return ToExtension(extension)
