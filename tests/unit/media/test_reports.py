"""RTCP of the native gateway: what it reports, what it learns, and its last word."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId
from engine.media.native import NativeGateway

from .phones import PCMA, Phone, own_host, report_block, rtp, sender_report, until

HOST = own_host(3)


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(37000, 37099)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def echo(gateway: NativeGateway) -> AsyncIterator[tuple[Phone, MediaLegId, MediaAddress]]:
    phone = Phone("127.3.2.1")
    leg, address = await gateway.open_leg(HOST)
    await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
    await gateway.connect(leg, leg)
    yield phone, leg, address
    phone.close()


def packet_types(compound: bytes) -> list[int]:
    found = []
    while compound:
        found.append(compound[1])
        compound = compound[4 + 4 * struct.unpack(">H", compound[2:4])[0] :]
    return found


Echo = tuple[Phone, MediaLegId, MediaAddress]


async def test_the_last_word_is_a_sender_report_with_bye(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.report(address, sender_report(99, ntp_middle=0x12345678))
    for sequence in (1, 2, 4):
        phone.send(address, rtp(sequence, ssrc=99))
    heard = [phone.hear() for _ in range(3)]
    await gateway.close_leg(leg)
    compound = phone.hear_report()
    assert packet_types(compound) == [200, 202, 203]
    ssrc, _, _, stamp, packets, octets = struct.unpack(">IIIIII", compound[4:28])
    assert ssrc == heard[0].ssrc
    assert (packets, octets) == (3, 480)
    assert 0 <= (stamp - heard[-1].timestamp) & 0xFFFFFFFF < 8000 * 10
    source, lost, newest, _, last_report, delay = struct.unpack(">IIIIII", compound[28:52])
    assert (source, lost & 0xFFFFFF, newest) == (99, 1, 4)
    assert lost >> 24 == 255 // 4
    assert last_report == 0x12345678
    assert delay < 10 * 65536


async def test_a_leg_that_never_sent_says_no_bye(gateway: NativeGateway) -> None:
    phone = Phone("127.3.2.1")
    silent, _ = await gateway.open_leg(HOST)
    await gateway.update_leg(silent, LegPlan(phone.address, (PCMA,)))
    await gateway.close_leg(silent)
    leg, address = await gateway.open_leg(HOST)
    await gateway.update_leg(leg, LegPlan(phone.address, (PCMA,)))
    await gateway.connect(leg, leg)
    phone.send(address, rtp(1))
    heard = phone.hear()
    await gateway.close_leg(leg)
    assert struct.unpack(">I", phone.hear_report()[4:8])[0] == heard.ssrc
    phone.close()


async def test_what_the_peer_reports_is_told(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.send(address, rtp(1, ssrc=99))
    ours = phone.hear().ssrc
    phone.report(address, sender_report(99, block=report_block(ours, lost=1, jitter=80)))

    async def learned() -> bool:
        return (await gateway.query(leg)).sent.lost == 1

    await until(learned)
    figures = await gateway.query(leg)
    assert figures.sent.jitter_ms == pytest.approx(10.0)
    assert figures.sent.loss_percent == pytest.approx(100.0)
    assert figures.round_trip_ms is None
    assert figures.received.lost == 0


async def test_a_round_trip_is_measured_from_our_own_report(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.send(address, rtp(1, ssrc=99))
    ours = phone.hear().ssrc
    phone.rtcp.settimeout(9)
    compound = phone.hear_report()
    assert packet_types(compound) == [200, 202]
    middle = struct.unpack(">I", compound[10:14])[0]
    phone.report(address, sender_report(99, block=report_block(ours, last_report=middle)))

    async def measured() -> bool:
        return (await gateway.query(leg)).round_trip_ms is not None

    await until(measured)
    round_trip_ms = (await gateway.query(leg)).round_trip_ms
    assert round_trip_ms is not None
    assert 0 <= round_trip_ms < 1000


async def test_rtcp_on_the_rtp_port_is_rtcp(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.send(address, sender_report(99))
    phone.send(address, rtp(1, ssrc=99))
    phone.hear()
    assert phone.hears_nothing()
    figures = await gateway.query(leg)
    assert figures.received.packets == 1
    assert figures.malformed == figures.strangers == figures.unexpected_payload == 0


async def test_reports_of_strangers_teach_nothing(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.send(address, rtp(1, ssrc=99))
    ours = phone.hear().ssrc
    stranger = Phone("127.3.2.66")
    stranger.report(address, sender_report(98, block=report_block(ours, lost=9)))

    async def counted() -> bool:
        return (await gateway.query(leg)).strangers == 1

    await until(counted)
    assert (await gateway.query(leg)).sent.lost == 0
    stranger.close()


async def test_feedback_and_extended_reports_are_passed_over(gateway: NativeGateway, echo: Echo) -> None:
    """RFC 4585 and RFC 3611: nobody asked for them, some phones send them, and the report beside them counts."""
    phone, leg, address = echo
    phone.send(address, rtp(1, ssrc=99))
    ours = phone.hear().ssrc
    picture_loss = struct.pack(">BBHII", 0x81, 206, 2, 99, ours)
    nack = struct.pack(">BBHIIHH", 0x81, 205, 3, 99, ours, 1, 0)
    extended = struct.pack(">BBHI", 0x80, 207, 1, 99)
    phone.report(address, picture_loss + nack + extended)
    phone.report(address, sender_report(99, block=report_block(ours, lost=1)) + nack + picture_loss + extended)

    async def learned() -> bool:
        return (await gateway.query(leg)).sent.lost == 1

    await until(learned)
    figures = await gateway.query(leg)
    assert figures.malformed == figures.strangers == 0


async def test_of_a_peer_that_said_bye_nothing_is_reported(gateway: NativeGateway, echo: Echo) -> None:
    phone, leg, address = echo
    phone.send(address, rtp(1, ssrc=99))
    phone.hear()
    phone.report(address, sender_report(99) + struct.pack(">BBHI", 0x81, 203, 1, 99))
    phone.report(address, b"no report at all")

    async def both_came() -> bool:
        return (await gateway.query(leg)).malformed == 1

    await until(both_came)
    await gateway.close_leg(leg)
    compound = phone.hear_report()
    assert compound[0] == 0x80  # no block
    assert packet_types(compound) == [200, 202, 203]


async def test_every_compound_begins_with_a_report_and_names_its_source(gateway: NativeGateway, echo: Echo) -> None:
    """RFC 3550 6.1: a report first, then an SDES with CNAME; a leg that never sent makes receiver reports."""
    phone, leg, address = echo
    await gateway.disconnect(leg)
    phone.send(address, rtp(1, ssrc=99))
    phone.rtcp.settimeout(9)
    compound = phone.hear_report()
    assert packet_types(compound) == [201, 202]
    assert compound[0] == 0x81
    assert struct.unpack(">I", compound[8:12])[0] == 99
    description = compound[32:]
    assert description[8] == 1
    assert description[9] == 16
    assert description[4:8] == compound[4:8]
