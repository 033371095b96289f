"""The bridge: how two legs hear each other, and what a held one hears."""

from __future__ import annotations

from collections.abc import Callable

from engine.media.gateway import PLAYABLE, Clip, MediaGateway
from engine.pbx.leg import Leg


class Bridge:
    """Relays between two legs at the gateway; who is held by local policy hears music."""

    __slots__ = ("_gateway", "_music", "one", "other")

    def __init__(self, gateway: MediaGateway, one: Leg, other: Leg, music: Callable[[], Clip]) -> None:
        self._gateway = gateway
        self._music = music
        self.one = one
        self.other = other

    def opposite(self, leg: Leg) -> Leg:
        return self.other if leg is self.one else self.one

    async def connect(self) -> None:
        await self._gateway.connect(self.one.media, self.other.media)

    async def play_music(self, leg: Leg) -> None:
        """The leg hears music instead of its opposite; one that speaks nothing playable hears nothing."""
        settled = leg.talks.settled
        if settled is not None and PLAYABLE & set(settled.codecs):
            await self._gateway.play(leg.media, self._music(), repeat=True)

    async def stop_music(self, leg: Leg) -> None:
        await self._gateway.stop_playing(leg.media)
