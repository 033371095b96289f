"""What an operator may ask of its own phone: the deeds of the Switchboard.

``acting`` names the phone instead of the operator's own; only an administrator may say it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.desk.commands import Command


@dataclass(frozen=True, slots=True)
class TakeCall(Command):
    """Answer a caller that waits for the operator; returns whether the phone does it by itself.

    ``False``: it rings and takes no orders, so its handset must be lifted.
    """

    target: str
    """A call's id."""
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class HoldCall(Command):
    """Let the phone hold its call, or go on with it; returns whether it takes such an order."""

    target: str
    is_on: bool = True
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class HandOn(Command):
    """Give the other party of the own call to a number; returns ``CallId``.

    The phone is free at once; a caller that nobody takes comes back to it.
    """

    target: str
    number: str
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class ParkCaller(Command):
    """Park the other party of the own call, the first free slot without one; returns the slot.

    The phone is free at once, and rings when nobody retrieves the caller.
    """

    target: str
    slot: str | None = None
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class Consult(Command):
    """Ask a number first, while the other party waits with music; returns ``CallId``."""

    target: str
    number: str
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteConsult(Command):
    """Connect the waiting party with whom the phone asks; returns ``CallId``."""

    target: str
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class GoBackToCaller(Command):
    """Let go whom the phone asks, and go on with the waiting party; returns ``CallId``."""

    target: str
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class RecallCaller(Command):
    """Fetch back whom the phone has transferred or parked last, for 20 seconds; returns ``CallId``."""

    acting: str | None = None


@dataclass(frozen=True, slots=True)
class DialNumber(Command):
    """Ring the phone, which answers by itself where it can, and call a number for it; returns ``None``."""

    number: str
    acting: str | None = None
