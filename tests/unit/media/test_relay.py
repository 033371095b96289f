"""Relaying between two legs on loopback: rewriting, latching, flow, statistics."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from engine.media.gateway import Flow, LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

from .phones import EVENT, PCMA, Phone, own_host, rtp, until

HOST = own_host(2)


class Call:
    """Two phones and the two legs that join them."""

    def __init__(self, gateway: NativeGateway, host: str, peer: str) -> None:
        self.gateway = gateway
        self.host = host
        self.caller, self.callee = Phone(peer), Phone(peer)
        self.caller_leg = self.callee_leg = MediaLegId(0)
        self.to_caller = self.to_callee = MediaAddress("", 0, 0)
        self.caller_plan = LegPlan(self.caller.address, (PCMA, EVENT))
        self.callee_plan = LegPlan(
            self.callee.address, (PCMA._replace(payload_type=118), EVENT._replace(payload_type=96))
        )

    async def begin(self) -> None:
        self.caller_leg, self.to_caller = await self.gateway.open_leg(self.host)
        self.callee_leg, self.to_callee = await self.gateway.open_leg(self.host)
        await self.gateway.update_leg(self.caller_leg, self.caller_plan)
        await self.gateway.update_leg(self.callee_leg, self.callee_plan)
        await self.gateway.connect(self.caller_leg, self.callee_leg)

    def say(self, *sequences: int, payload_type: int = 8, ssrc: int = 1) -> None:
        for sequence in sequences:
            self.caller.send(self.to_caller, rtp(sequence, payload_type=payload_type, ssrc=ssrc))

    async def taken(self, packets: int) -> None:
        """Wait until the gateway has taken so many of the caller's packets."""

        async def are_taken() -> bool:
            return (await self.gateway.query(self.caller_leg)).received.packets == packets

        await until(are_taken)

    def close(self) -> None:
        self.caller.close()
        self.callee.close()


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(35000, 35999)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def call(gateway: NativeGateway) -> AsyncIterator[Call]:
    call = Call(gateway, HOST, "127.3.0.1")
    await call.begin()
    yield call
    call.close()


async def test_payload_types_are_rewritten_and_gaps_stay_visible(call: Call) -> None:
    call.say(65534, 65535, 1)
    first, second, third = (call.callee.hear() for _ in range(3))
    assert first.marker
    assert not second.marker
    assert first.payload_type == 118
    assert first.payload == b"\xd5" * 160
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    assert (third.sequence - second.sequence) & 0xFFFF == 2
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 160
    assert first.ssrc == second.ssrc != 1


async def test_digits_pass_both_ways_with_their_own_payload_types(call: Call) -> None:
    call.say(1, payload_type=101)
    assert call.callee.hear().payload_type == 96
    call.callee.send(call.to_callee, rtp(1, payload_type=96))
    assert call.caller.hear().payload_type == 101


async def test_payloads_that_were_not_negotiated_are_dropped_without_a_gap(call: Call) -> None:
    call.say(1)
    call.say(2, payload_type=0)
    call.say(3)
    first, second = call.callee.hear(), call.callee.hear()
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    figures = await call.gateway.query(call.caller_leg)
    assert figures.unexpected_payload == 1
    assert figures.received.lost == 0


async def test_a_payload_that_only_one_side_negotiated_is_dropped(call: Call) -> None:
    formats = (PCMA, PayloadFormat(18, "G729", 8000), EVENT)
    await call.gateway.update_leg(call.caller_leg, call.caller_plan._replace(formats=formats))
    call.say(1, payload_type=18)
    call.say(2)
    assert call.callee.hear().payload_type == 118
    assert call.callee.hears_nothing()
    assert (await call.gateway.query(call.caller_leg)).unexpected_payload == 1


async def test_encodings_are_one_whatever_their_case_but_not_whatever_their_clock(call: Call) -> None:
    await call.gateway.update_leg(
        call.caller_leg, call.caller_plan._replace(formats=(PayloadFormat(8, "pcma", 8000),))
    )
    call.say(1)
    assert call.callee.hear().payload_type == 118
    await call.gateway.update_leg(
        call.caller_leg, call.caller_plan._replace(formats=(PayloadFormat(8, "PCMA", 16000),))
    )
    call.say(2)
    await call.taken(2)
    await call.gateway.update_leg(call.caller_leg, call.caller_plan)
    call.say(3)
    assert call.callee.hear().sequence
    assert call.callee.hears_nothing()


async def test_numbers_stay_continuous_across_reconnects_and_sources(call: Call) -> None:
    call.say(100, 101)
    before = [call.callee.hear() for _ in range(2)][-1]
    await call.gateway.connect(call.callee_leg, call.callee_leg)
    call.callee.send(call.to_callee, rtp(7000, payload_type=118, ssrc=77))
    echoed = call.callee.hear()
    await call.gateway.connect(call.caller_leg, call.callee_leg)
    call.say(500, 501, ssrc=2)
    after = call.callee.hear()
    assert before.ssrc == echoed.ssrc == after.ssrc
    assert (echoed.sequence - before.sequence) & 0xFFFF == 1
    assert (after.sequence - echoed.sequence) & 0xFFFF == 1
    assert echoed.marker
    assert after.marker
    assert 160 <= (after.timestamp - echoed.timestamp) & 0xFFFFFFFF < 80000


async def test_strangers_are_dropped_and_counted(call: Call) -> None:
    stranger = Phone("127.3.0.66")
    stranger.send(call.to_caller, rtp(1))
    call.say(2)
    call.callee.hear()
    stranger.send(call.to_caller, rtp(3))
    call.say(4)
    call.callee.hear()
    assert call.callee.hears_nothing()
    figures = await call.gateway.query(call.caller_leg)
    assert figures.strangers == 2
    assert figures.latched == (call.caller.address.host, call.caller.address.port)
    stranger.close()


async def test_a_trusted_host_behind_nat_is_latched_and_answered(call: Call) -> None:
    await call.gateway.update_leg(
        call.caller_leg,
        call.caller_plan._replace(remote=MediaAddress("10.0.0.8", 4000, 4001), trusted_hosts=("127.3.0.1", "::1")),
    )
    call.say(1)
    call.callee.hear()
    call.callee.send(call.to_callee, rtp(1, payload_type=118))
    assert call.caller.hear().payload_type == 8


async def test_a_changed_remote_opens_the_latch_again(call: Call) -> None:
    call.say(1)
    call.callee.hear()
    moved = Phone("127.3.0.2")
    await call.gateway.update_leg(call.caller_leg, call.caller_plan._replace(remote=moved.address))
    call.callee.send(call.to_callee, rtp(1, payload_type=118))
    assert moved.hear().payload_type == 8
    moved.send(call.to_caller, rtp(1, ssrc=8))
    moved.send(call.to_caller, rtp(2, ssrc=8))
    call.callee.hear()
    call.say(9)

    async def stranger_was_counted() -> bool:
        return (await call.gateway.query(call.caller_leg)).strangers == 1

    await until(stranger_was_counted)
    moved.close()


@pytest.mark.parametrize("flow", [Flow.TO_PEER, Flow.NONE])
async def test_a_leg_that_does_not_receive_passes_nothing_on(call: Call, flow: Flow) -> None:
    await call.gateway.update_leg(call.caller_leg, call.caller_plan._replace(flow=flow))
    call.say(1)
    await call.taken(1)
    await call.gateway.update_leg(call.caller_leg, call.caller_plan)
    call.say(50)
    heard = call.callee.hear()
    assert heard.marker
    assert call.callee.hears_nothing()


@pytest.mark.parametrize("flow", [Flow.FROM_PEER, Flow.NONE])
async def test_a_leg_that_does_not_send_gets_nothing(call: Call, flow: Flow) -> None:
    call.say(1)
    before = call.callee.hear()
    await call.gateway.update_leg(call.callee_leg, call.callee_plan._replace(flow=flow))
    call.say(2, 3, 4)
    await call.taken(4)
    await call.gateway.update_leg(call.callee_leg, call.callee_plan)
    call.say(5)
    after = call.callee.hear()
    assert (after.sequence - before.sequence) & 0xFFFF == 1
    assert call.callee.hears_nothing()


async def test_port_nought_sends_nothing(call: Call) -> None:
    host = call.callee.address.host
    await call.gateway.update_leg(call.callee_leg, call.callee_plan._replace(remote=MediaAddress(host, 0, 0)))
    call.say(1)
    await call.taken(1)
    await call.gateway.update_leg(call.callee_leg, call.callee_plan)
    call.say(2)
    call.callee.hear()
    assert call.callee.hears_nothing()


async def test_losses_duplicates_and_octets_are_counted(call: Call) -> None:
    call.say(1, 2, 2, 4, 5, 8)
    for _ in range(5):
        call.callee.hear()

    async def all_sent() -> bool:
        return (await call.gateway.query(call.callee_leg)).sent.packets == 5

    await until(all_sent)
    figures = await call.gateway.close_leg(call.caller_leg)
    assert figures.received.packets == 5
    assert figures.received.octets == 800
    assert figures.received.lost == 3
    assert figures.received.loss_percent == pytest.approx(37.5)
    assert figures.received.mos < 3
    assert figures.silent_s is not None
    assert figures.silent_s < 5
    with pytest.raises(KeyError):
        await call.gateway.query(call.caller_leg)
    assert (await call.gateway.close_leg(call.callee_leg)).sent.octets == 800


async def test_garbage_is_counted_and_hurts_nobody(call: Call) -> None:
    pieces = [b"", b"\x80", b"\x00" * 20, b"\x8f" + b"\0" * 20, b"\x90\x08" + b"\0" * 12 + b"\xff\xff", rtp(1) * 20]
    for piece in pieces:
        call.caller.send(call.to_caller, piece)
        call.caller.report(call.to_caller, piece)
    call.say(1)
    call.callee.hear()

    async def all_counted() -> bool:
        return (await call.gateway.query(call.caller_leg)).malformed == 2 * len(pieces)

    await until(all_counted)


@pytest.mark.parametrize(("host", "peer"), [("::1", "::1"), (HOST, "127.3.0.1")], ids=["v6", "v4"])
async def test_calls_pass_over_either_ip_version(gateway: NativeGateway, host: str, peer: str) -> None:
    call = Call(gateway, host, peer)
    await call.begin()
    call.say(1)
    assert call.callee.hear().payload_type == 118
    assert (await gateway.query(call.caller_leg)).latched == (peer, call.caller.address.port)
    call.close()


async def test_a_v6_phone_talks_to_a_v4_phone(gateway: NativeGateway) -> None:
    six, four = Phone("::1"), Phone("127.3.0.1")
    one, to_one = await gateway.open_leg("::1")
    other, _ = await gateway.open_leg(HOST)
    await gateway.update_leg(one, LegPlan(six.address, (PCMA,)))
    await gateway.update_leg(other, LegPlan(four.address, (PCMA,)))
    await gateway.connect(one, other)
    six.send(to_one, rtp(1))
    assert four.hear().payload_type == 8
    with pytest.raises(OSError, match="another IP version"):
        await gateway.update_leg(one, LegPlan(four.address, (PCMA,)))
    six.close()
    four.close()


async def test_a_hundred_calls_between_the_ip_versions_lose_and_mix_up_nothing(gateway: NativeGateway) -> None:
    sixes, fours = ([Phone(host) for _ in range(100)] for host in ("::1", "127.3.0.1"))
    addresses: dict[Phone, MediaAddress] = {}
    for six, four in zip(sixes, fours, strict=True):
        legs = []
        for phone, host in ((six, "::1"), (four, HOST)):
            leg, addresses[phone] = await gateway.open_leg(host)
            await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
            legs.append(leg)
        await gateway.connect(*legs)
    for sequence in range(25):
        for number, (six, four) in enumerate(zip(sixes, fours, strict=True)):
            six.send(addresses[six], rtp(sequence, payload=b"%d to v4" % number))
            four.send(addresses[four], rtp(sequence, payload=b"%d to v6" % number))
        for number, (six, four) in enumerate(zip(sixes, fours, strict=True)):
            assert four.hear().payload == b"%d to v4" % number
            assert six.hear().payload == b"%d to v6" % number
    for phone in (*sixes, *fours):
        assert phone.hears_nothing()
        phone.close()


@pytest.mark.parametrize(
    ("host", "peer", "level", "option"),
    [
        (HOST, "127.3.0.1", socket.IPPROTO_IP, socket.IP_RECVTOS),
        ("::1", "::1", socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS),
    ],
    ids=["v4", "v6"],
)
async def test_rtp_and_rtcp_carry_expedited_forwarding(
    gateway: NativeGateway, host: str, peer: str, level: int, option: int
) -> None:
    """RFC 4594: telephony is EF, 46 in the upper six bits of the byte."""
    call = Call(gateway, host, peer)
    await call.begin()
    for each in (call.callee.rtp, call.callee.rtcp):
        each.setsockopt(level, option, 1)
    call.say(1)
    _, ancillary, _, _ = call.callee.rtp.recvmsg(2048, 64)
    assert ancillary[0][2][0] == 46 << 2
    await gateway.close_leg(call.callee_leg)
    _, ancillary, _, _ = call.callee.rtcp.recvmsg(2048, 64)
    assert ancillary[0][2][0] == 46 << 2
    call.close()


async def test_early_packets_before_any_sdp_reach_nobody(gateway: NativeGateway) -> None:
    phone = Phone()
    leg, address = await gateway.open_leg(HOST)
    await gateway.connect(leg, leg)
    phone.send(address, rtp(1))

    async def counted() -> bool:
        return (await gateway.query(leg)).strangers == 1

    await until(counted)
    await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
    phone.send(address, rtp(2))
    phone.hear()
    assert phone.hears_nothing()
    phone.close()
