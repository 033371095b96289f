"""What outside lines need of the office, and what they remember from one run to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.crew import Crew
from engine.net.endpoint import Endpoint
from engine.net.resolve import Resolver
from engine.net.trust import Trust
from engine.sip.agent import UserAgent


class LineMemory(Protocol):
    """What is known of lines beyond their configuration."""

    def token_of(self, name: str) -> str:
        """A word that stands for the line in its Contact: always the same, and not to be guessed."""
        ...

    def needs_new_call_id(self, name: str, host: str) -> bool:
        """Whether this carrier has shown that each REGISTER needs a Call-ID of its own."""
        ...

    def note_new_call_id(self, name: str, host: str) -> None: ...


@dataclass(slots=True)
class Surroundings:
    """Shared by all lines."""

    agent: UserAgent
    endpoint: Endpoint
    clock: Clock
    bus: EventBus
    crew: Crew
    resolver: Resolver
    memory: LineMemory
    param: Callable[[str], Any]
    """A site parameter as it is now."""
    trust: Trust = field(default_factory=Trust)
    random: Random = field(default_factory=Random)
    changed: Callable[[], None] = lambda: None
    """Called with everything that a view shows."""


class ShortMemory:
    """A memory that ends with the office: in tests, and in a demo."""

    def __init__(self) -> None:
        self.taught: set[tuple[str, str]] = set()

    def token_of(self, name: str) -> str:
        return f"line-{name}"

    def needs_new_call_id(self, name: str, host: str) -> bool:
        return (name, host) in self.taught

    def note_new_call_id(self, name: str, host: str) -> None:
        self.taught.add((name, host))
