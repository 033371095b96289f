"""A media gateway in memory: it remembers what it was told and carries no sound."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count

from engine.media.gateway import (
    Clip,
    LegPlan,
    LegStatistics,
    MediaAddress,
    MediaLegId,
    PortsExhaustedError,
    StreamStatistics,
)

FIRST_PORT = 30000
SILENCE = LegStatistics(StreamStatistics(), StreamStatistics())


@dataclass
class MemoryMedia:
    """One leg as the gateway knows it."""

    address: MediaAddress
    plan: LegPlan | None = None
    opposite: MediaLegId | None = None
    playing: Clip | None = None
    statistics: LegStatistics = SILENCE


class MemoryGateway:
    """Implements ``MediaGateway``; ``ports_left`` limits how many more legs may open."""

    backend = "memory"
    is_real_time = False

    def __init__(self) -> None:
        self.legs: dict[MediaLegId, MemoryMedia] = {}
        self.ports_left: int | None = None
        self.hesitates = False
        """Answers like a gateway elsewhere: not before the loop has turned."""
        self._numbers = count(1)

    @property
    def sessions(self) -> int:
        return len(self.legs)

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        self.legs.clear()

    async def _think(self) -> None:
        if self.hesitates:
            await asyncio.sleep(0)

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]:
        await self._think()
        if self.ports_left is not None:
            if not self.ports_left:
                raise PortsExhaustedError("no port is left")
            self.ports_left -= 1
        number = next(self._numbers)
        port = FIRST_PORT + 2 * number
        address = MediaAddress(local_host, port, port + 1)
        self.legs[MediaLegId(number)] = MemoryMedia(address)
        return MediaLegId(number), address

    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None:
        await self._think()
        media = self.legs[leg]
        if plan.remote is not None and (":" in plan.remote.host) != (":" in media.address.host):
            raise OSError("the peer's address is of another family")
        media.plan = plan

    async def connect(self, one: MediaLegId, other: MediaLegId) -> None:
        await self._think()
        for leg, opposite in ((one, other), (other, one)):
            await self.disconnect(leg)
            self.legs[leg].opposite = opposite

    async def disconnect(self, leg: MediaLegId) -> None:
        media = self.legs[leg]
        media.playing = None
        if media.opposite is not None and media.opposite in self.legs:
            self.legs[media.opposite].opposite = None
        media.opposite = None

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        await self._think()
        media = self.legs[leg]
        if media.plan is None or not {"PCMA", "PCMU"} & {each.encoding for each in media.plan.formats}:
            raise ValueError(f"'{clip.name}' cannot be played: the leg has neither PCMA nor PCMU")
        media.playing = clip

    async def stop_playing(self, leg: MediaLegId) -> None:
        self.legs[leg].playing = None

    async def query(self, leg: MediaLegId) -> LegStatistics:
        return self.legs[leg].statistics

    async def close_leg(self, leg: MediaLegId) -> LegStatistics:
        await self._think()
        await self.disconnect(leg)
        return self.legs.pop(leg).statistics
