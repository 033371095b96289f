"""Fax: datagrams that are no RTP, passed between two legs as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId
from engine.media.native import NativeGateway

from .phones import PCMA, Phone, own_host, rtp, until

HOST = own_host(9)
UDPTL = b"\x00\x01\x06\xc0\x01\x80\x00\x00\xff\x00\x00"


class Fax:
    """Two machines and the two legs that join them, in audio at first."""

    def __init__(self, gateway: NativeGateway) -> None:
        self.gateway = gateway
        self.one, self.other = Phone("127.3.9.1"), Phone("127.3.9.2")
        self.stranger = Phone("127.3.9.3")
        self.legs: list[tuple[MediaLegId, MediaAddress]] = []

    async def begin(self) -> None:
        for phone in (self.one, self.other):
            leg, address = await self.gateway.open_leg(HOST)
            self.legs.append((leg, address))
            await self.gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
        await self.gateway.connect(self.legs[0][0], self.legs[1][0])

    async def turn(self, place: int, *, to_datagrams: bool = True) -> None:
        leg, _ = self.legs[place]
        address = (self.one, self.other)[place].address
        plan = LegPlan(MediaAddress(address.host, address.port, 0), (), is_datagrams=True)
        await self.gateway.update_leg(leg, plan if to_datagrams else LegPlan(address, (PCMA,)))

    def close(self) -> None:
        for phone in (self.one, self.other, self.stranger):
            phone.close()


@pytest.fixture
async def fax() -> AsyncIterator[Fax]:
    gateway = NativeGateway(36000, 36199)
    await gateway.start()
    fax = Fax(gateway)
    await fax.begin()
    yield fax
    fax.close()
    await gateway.stop()


async def test_datagrams_go_both_ways_as_they_are(fax: Fax) -> None:
    await fax.turn(0)
    await fax.turn(1)
    fax.one.send(fax.legs[0][1], UDPTL)
    assert fax.other.hear_raw() == UDPTL
    fax.other.send(fax.legs[1][1], UDPTL + b"more")
    assert fax.one.hear_raw() == UDPTL + b"more"
    statistics = await fax.gateway.query(fax.legs[0][0])
    assert statistics.sent.packets == 1
    assert statistics.silent_s is not None
    assert statistics.malformed == 0


async def test_strangers_send_no_fax(fax: Fax) -> None:
    await fax.turn(0)
    await fax.turn(1)
    fax.stranger.send(fax.legs[0][1], UDPTL)

    async def is_counted() -> bool:
        return (await fax.gateway.query(fax.legs[0][0])).strangers == 1

    await until(is_counted)
    fax.one.send(fax.legs[0][1], b"the machine's own")
    assert fax.other.hear_raw() == b"the machine's own"


async def test_nothing_passes_between_audio_and_datagrams(fax: Fax) -> None:
    await fax.turn(0)
    fax.one.send(fax.legs[0][1], UDPTL)
    fax.other.send(fax.legs[1][1], rtp(1))

    async def is_taken() -> bool:
        heard = [(await fax.gateway.query(leg)).silent_s for leg, _ in fax.legs]
        return None not in heard

    await until(is_taken)
    await fax.turn(1)
    fax.one.send(fax.legs[0][1], b"first")
    fax.other.send(fax.legs[1][1], b"second")
    assert (fax.other.hear_raw(), fax.one.hear_raw()) == (b"first", b"second")


async def test_late_audio_is_no_datagram_and_audio_comes_back(fax: Fax) -> None:
    fax.one.send(fax.legs[0][1], rtp(1, ssrc=7))
    fax.other.hear()
    await fax.turn(0)
    await fax.turn(1)
    fax.one.send(fax.legs[0][1], rtp(2, ssrc=7))
    fax.one.send(fax.legs[0][1], UDPTL)
    assert fax.other.hear_raw() == UDPTL
    await fax.turn(0, to_datagrams=False)
    await fax.turn(1, to_datagrams=False)
    fax.one.send(fax.legs[0][1], rtp(3, ssrc=7))
    assert fax.other.hear().payload_type == 8
