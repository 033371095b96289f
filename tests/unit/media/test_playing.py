"""Playing clips to a leg: pace, continuity, repetition and the resting connection."""

from __future__ import annotations

import socket
import struct
from array import array
from collections.abc import AsyncIterator

import pytest

from engine.media.gateway import Clip, LegPlan, MediaAddress, MediaLegId
from engine.media.native import NativeGateway

from .phones import PCMA, PCMU, Phone, own_host, rtp, until

HOST = own_host(4)
LOUD = Clip("loud", array("h", [1000] * 480).tobytes())
SO_TIMESTAMPNS = 35
QUIET = Clip("quiet", array("h", [0] * 1600).tobytes())


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(38000, 38099)
    await gateway.start()
    yield gateway
    await gateway.stop()


async def open_leg(gateway: NativeGateway, phone: Phone, plan: LegPlan) -> tuple[MediaLegId, MediaAddress]:
    leg, address = await gateway.open_leg(HOST)
    await gateway.update_leg(leg, plan)
    return leg, address


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    phone = Phone("127.3.3.1")
    yield phone
    phone.close()


async def test_a_clip_is_played_once(gateway: NativeGateway, phone: Phone) -> None:
    leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMU, PCMA)))
    await gateway.play(leg, LOUD)
    assert gateway.is_playing(leg)
    first, second, third = phone.hear(), phone.hear(), phone.hear()
    assert first.marker
    assert not third.marker
    assert first.payload_type == 0
    assert first.payload == b"\xce" * 160
    assert [(each.timestamp - first.timestamp) & 0xFFFFFFFF for each in (second, third)] == [160, 320]

    async def ended() -> bool:
        return not gateway.is_playing(leg)

    await until(ended)
    assert phone.hears_nothing()
    assert (await gateway.query(leg)).sent.packets == 3


async def test_frames_leave_at_their_pace(gateway: NativeGateway, phone: Phone) -> None:
    """By the kernel's stamps, since this process may read late; a stalled thread catches up by five frames."""
    frames = 25
    phone.rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.play(leg, Clip("tone", LOUD.samples * 9))
    stamps = []
    for _ in range(frames):
        _, ((_, _, stamp),), _, _ = phone.rtp.recvmsg(2048, socket.CMSG_SPACE(16))
        seconds, nanoseconds = struct.unpack("@ll", stamp)
        stamps.append(seconds + nanoseconds / 1e9)
    assert (frames - 1 - 5) * 0.02 <= stamps[-1] - stamps[0] <= 5


async def test_a_clip_repeats_until_it_is_stopped(gateway: NativeGateway, phone: Phone) -> None:
    leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.play(leg, LOUD, repeat=True)
    heard = [phone.hear() for _ in range(8)]
    assert {each.payload for each in heard} == {b"\xfa" * 160}
    await gateway.stop_playing(leg)

    async def ended() -> bool:
        return not gateway.is_playing(leg)

    await until(ended)


async def test_frames_are_as_long_as_the_peer_asks(gateway: NativeGateway, phone: Phone) -> None:
    leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,), packet_ms=40))
    await gateway.play(leg, LOUD)
    first, second = phone.hear(), phone.hear()
    assert len(first.payload) == len(second.payload) == 320
    assert first.payload[-1] == 0xFA
    assert second.payload[159:161] == b"\xfa\xd5"


async def test_a_connection_rests_while_a_clip_plays_and_goes_on(gateway: NativeGateway, phone: Phone) -> None:
    other_phone = Phone("127.3.3.1")
    leg, address = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    other, other_address = await open_leg(gateway, other_phone, LegPlan(other_phone.address, (PCMA,)))
    await gateway.connect(leg, other)
    await gateway.play(leg, QUIET, repeat=True)
    phone.hear()
    phone.send(address, rtp(1))
    other_phone.hear()
    other_phone.send(other_address, rtp(1, payload=b"x"))
    phone.send(address, rtp(2))
    other_phone.hear()
    assert (played := phone.hear()).payload != b"x"
    await gateway.stop_playing(leg)
    other_phone.send(other_address, rtp(2, payload=b"y"))
    while (heard := phone.hear()).payload != b"y":
        played = heard
    assert heard.ssrc == played.ssrc
    assert (heard.sequence - played.sequence) & 0xFFFF == 1
    assert heard.marker
    other_phone.close()


async def test_connecting_ends_the_playing(gateway: NativeGateway, phone: Phone) -> None:
    leg, address = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.play(leg, QUIET, repeat=True)
    phone.hear()
    await gateway.connect(leg, leg)
    phone.send(address, rtp(1, payload=b"z"))
    while phone.hear().payload != b"z":
        pass

    async def ended() -> bool:
        return not gateway.is_playing(leg)

    await until(ended)


async def test_disconnecting_silences_both_ways(gateway: NativeGateway, phone: Phone) -> None:
    leg, address = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.connect(leg, leg)
    phone.send(address, rtp(1))
    phone.hear()
    await gateway.disconnect(leg)
    phone.send(address, rtp(2))

    async def received() -> bool:
        return (await gateway.query(leg)).received.packets == 2

    await until(received)
    assert phone.hears_nothing()


async def test_a_stopped_clip_fades_out_in_one_more_packet(gateway: NativeGateway, phone: Phone) -> None:
    leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.play(leg, LOUD, repeat=True)
    last = [phone.hear() for _ in range(3)][-1]
    await gateway.stop_playing(leg)
    while (heard := phone.hear()).payload == b"\xfa" * 160:
        last = heard
    assert (heard.sequence - last.sequence) & 0xFFFF == 1
    assert (heard.timestamp - last.timestamp) & 0xFFFFFFFF == 160
    assert not heard.marker
    levels = [code ^ 0x55 & 0x7F for code in heard.payload]
    assert heard.payload[0] in (0xFA, 0xFB)
    assert levels == sorted(levels, reverse=True)
    assert heard.payload[-1] == 0xD5
    await gateway.play(leg, LOUD)
    assert phone.hear().sequence == (heard.sequence + 1) & 0xFFFF


async def test_ringback_to_an_early_dialog_gives_way_to_the_callee_without_a_gap(
    gateway: NativeGateway, phone: Phone
) -> None:
    """Nothing that the callee says is lost behind the tone's last packet, and the numbers go on."""
    callee = Phone("127.3.3.1")
    caller_leg, _ = await open_leg(gateway, phone, LegPlan(phone.address, (PCMA,)))
    await gateway.play(caller_leg, LOUD, repeat=True)
    last = [phone.hear() for _ in range(3)][-1]
    callee_leg, callee_address = await open_leg(gateway, callee, LegPlan(callee.address, (PCMA,)))
    await gateway.connect(caller_leg, callee_leg)
    for sequence in range(1, 6):
        callee.send(callee_address, rtp(sequence, payload=bytes([sequence]) * 160))
    spoken = []
    while len(spoken) < 5:
        heard = phone.hear()
        assert (heard.sequence - last.sequence) & 0xFFFF == 1
        assert 160 <= (heard.timestamp - last.timestamp) & 0xFFFFFFFF < 8000
        last = heard
        if heard.payload[0] < 0x10:
            spoken.append(heard.payload[0])
    assert spoken == [1, 2, 3, 4, 5]
    assert phone.hears_nothing()
    callee.close()


async def test_a_tone_waits_for_the_callers_address(gateway: NativeGateway, phone: Phone) -> None:
    """A late offer leaves the caller without an address while the phones ring: the tone begins with its answer."""
    leg, _ = await open_leg(gateway, phone, LegPlan(None, (PCMA,)))
    await gateway.play(leg, LOUD, repeat=True)
    assert gateway.is_playing(leg)
    await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
    first, second = phone.hear(), phone.hear()
    assert first.payload == second.payload == b"\xfa" * 160
    assert (second.sequence - first.sequence) & 0xFFFF == 1
