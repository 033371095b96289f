"""The event bus: publishing never waits, a slow listener loses its oldest events and is told how many."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from engine.core.events import Event


class Subscription:
    """A bounded queue of events for one listener; use it as a context manager so that it ends."""

    def __init__(self, limit: int, leave: Callable[[Subscription], None]) -> None:
        self._events: deque[Event] = deque(maxlen=limit)
        self._leave = leave
        self._wake = asyncio.Event()
        self.dropped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(self)

    def offer(self, event: Event) -> None:
        """Queue ``event``; when full the oldest goes and ``dropped`` rises."""
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._wake.set()

    async def next(self) -> Event:
        """The oldest event not yet taken; waits for one."""
        while not self._events:
            self._wake.clear()
            await self._wake.wait()
        return self._events.popleft()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self.next()


class EventBus:
    """Spreads events to callbacks (at once, on the publisher's thread) and to bounded subscriptions.

    Lives on the engine's loop: publish, listen and subscribe only there.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self._subscriptions: list[Subscription] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` for every event; it must neither wait nor raise."""
        self._listeners.append(listener)

    def subscribe(self, limit: int = 1000) -> Subscription:
        """A bounded queue of what happens from now on."""
        subscription = Subscription(limit, self._subscriptions.remove)
        self._subscriptions.append(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
        for subscription in self._subscriptions:
            subscription.offer(event)
