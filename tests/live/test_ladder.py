"""The ladder of real calls, and its capture files as tshark reads them."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.core.ladder import LadderMessage
from engine.desk.capture import capture_file
from tests.live import tshark
from tests.live.conftest import Phones
from tests.live.console import SWITCHBOARD, add_operator, open_console
from tests.live.network import Network
from tests.live.office import Office, open_office
from tests.live.phone import connect

ANNA, BO = "201", "202"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    """An office that listens for TLS, too, with the extensions of this module."""
    with open_office(tmp_path_factory.mktemp("office"), network, tls=True) as office:
        for number in (ANNA, BO):
            office.extension(number, "--name", f"Person {number}")
        yield office


def titles(document: dict[str, Any], leg: int) -> list[str]:
    """The methods and statuses of one leg, ``>`` where they came from the phone."""
    return [
        ("<" if message["direction"] == "out" else ">") + message["title"].partition(" ")[0]
        for message in document["messages"]
        if message["leg"] == leg
    ]


def counted(document: dict[str, Any]) -> Counter[str]:
    return Counter(message["title"].partition(" ")[0] for message in document["messages"])


@pytest.mark.parametrize(
    ("one", "other", "ipv6"),
    [
        ("udp", "udp", False),
        ("udp", "udp", True),
        ("tcp", "tls", False),
        ("tls", "udp", False),
        ("udp", "tcp", True),
    ],
)
async def test_tshark_reads_as_many_messages_as_the_ladder_shows(
    office: Office, phones: Phones, tmp_path: Path, one: str, other: str, ipv6: bool
) -> None:
    anna, bo = await phones.pair(
        office.account(ANNA, transport=one), office.account(BO, transport=other, ipv6=ipv6)
    )
    await connect(anna, bo)
    live = office.json("ladder", ANNA)
    assert (live["state"], live["caller"], live["callee"]) == ("talking", ANNA, BO)
    assert titles(live, 0) == [">INVITE", "<407", ">ACK", ">INVITE", "<180", "<200", ">ACK"]
    assert [leg["codec"] for leg in live["legs"]] == ["PCMA", "PCMA"]
    assert [leg["transport"] for leg in live["legs"]] == [one.upper(), other.upper()]
    await anna.hang_up()
    await bo.ended()
    async with asyncio.timeout(5):
        while titles(ended := office.json("ladder", live["call"]), 1)[-2:] != ["<BYE", ">200"]:
            await asyncio.sleep(0.05)
    assert titles(ended, 0)[-2:] == [">BYE", "<200"]
    assert titles(ended, 1)[0] == "<INVITE"
    assert ended["ended_at"] is not None
    assert all(leg["media"]["received"]["packets"] > 0 and leg["media"]["remote"] for leg in ended["legs"])
    capture = tmp_path / "call.pcap"
    said = office.cli("ladder", live["call"], "--pcap", str(capture))
    packets = tshark.read_sip(capture)
    assert said.startswith(f"{len(packets)} messages")
    assert len(packets) == len(ended["messages"]) == tshark.count_packets(capture)
    assert Counter(packet.title for packet in packets) == counted(ended)
    assert len({packet.call_id for packet in packets}) == 2
    on_the_wire = {"udp": "udp", "tcp": "tcp", "tls": "tcp"}
    assert {packet.transport for packet in packets} == {on_the_wire[one], on_the_wire[other]}


async def test_a_cancelled_call_is_drawn_as_arrows(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await anna.dial(BO)
    await bo.rings()
    (call,) = office.json("calls")
    await anna.hang_up()
    await bo.ended()
    async with asyncio.timeout(5):
        while office.json("calls"):
            await asyncio.sleep(0.05)
    drawn = office.cli("ladder", call["id"])
    for text in (f"{ANNA} Person {ANNA}", "Frontdesk", "INVITE (auth) SDP ", "CANCEL", "487 Request Terminated"):
        assert text in drawn
    assert "▶" in drawn
    assert "◀" in drawn
    assert 'response="*' in office.json("ladder", call["id"])["messages"][3]["text"]


def test_what_is_not_there_is_refused_in_words(office: Office) -> None:
    assert "there is no call 'ffff'" in office.refuses("ladder", "ffff")


async def test_after_a_restart_an_old_call_says_that_its_messages_are_gone(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    await anna.hang_up()
    await bo.ended()
    async with asyncio.timeout(5):
        while not (records := office.json("records")):
            await asyncio.sleep(0.05)
    newest = max(records, key=lambda record: record["started_at"])["id"]
    office.stop()
    office.start()
    assert f"the messages of call {newest} are no longer there" in office.refuses("ladder", newest)


@pytest.mark.parametrize("host", ["192.0.2.", "2001:db8::"], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_tshark_finds_every_message_of_every_transport(tmp_path: Path, transport: str, host: str) -> None:
    ours, theirs = (f"{host}1", 5061 if transport == "TLS" else 5060), (f"{host}9", 40123)
    said = [
        (False, b"OPTIONS sip:office SIP/2.0", b""),
        (True, b"SIP/2.0 200 OK", b""),
        (True, b"MESSAGE sip:101@192.0.2.9 SIP/2.0", b"x" * 5000),
        (False, b"SIP/2.0 202 Accepted", b""),
        (False, b"BYE sip:office SIP/2.0", b""),
        (True, b"SIP/2.0 481 Call/Transaction Does Not Exist", b""),
    ]
    messages = []
    for number, (is_sent, start, body) in enumerate(said):
        head = (
            f"Via: SIP/2.0/{transport} 192.0.2.9;branch=z9hG4bK{number // 2}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:101@office>;tag=1\r\nTo: <sip:102@office>;tag=2\r\nCall-ID: one\r\n"
            f"CSeq: {number // 2 + 1} OPTIONS\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        messages.append(
            LadderMessage(
                number=number,
                at=datetime.now(UTC),
                leg=0,
                is_sent=is_sent,
                transport=transport,
                local=ours,
                remote=theirs,
                data=start + b"\r\n" + head.encode() + body,
                title="",
                method="",
                has_sdp=False,
                has_credentials=False,
                is_resent=False,
            )
        )
    capture = tmp_path / "stream.pcap"
    capture.write_bytes(capture_file(messages))
    packets = tshark.read_sip(capture)
    assert [packet.title for packet in packets] == ["OPTIONS", "200", "MESSAGE", "202", "BYE", "481"]
    assert {packet.transport for packet in packets} == {"udp" if transport == "UDP" else "tcp"}
    assert tshark.count_packets(capture) == len(said)


async def test_the_engineer_reads_a_call_over_ssh_and_saves_it(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    add_operator(office)
    desk = open_console(office, tmp_path / "desk")
    try:
        await connect(anna, bo)
        desk.shows(f"Person {ANNA}.*talking")
        (call,) = office.json("calls")
        desk.press("Enter")
        desk.shows(f"Call {call['id']}.*Person {ANNA}.*Person {BO}.*talking 0:[0-9]+")
        screen = desk.shows(r"◀─+ 407")
        for arrow in (r"─+ INVITE SDP ─*▶", r"─+ INVITE \(auth\) SDP ─*▶", r"◀─+ 180 Ringing", r"◀─+ 200 OK SDP"):
            assert re.search(arrow, screen), screen
        desk.shows(f"INVITE sip:{BO}@")
        desk.press("Down", "Down", "Down")
        desk.shows(r"Proxy-Authorization")
        desk.shows(r"PCMA ⇄ PCMA +loss +[0-9.]+ % +jitter +[0-9]+ ms +MOS +[0-9.]+", 10)
        desk.type("s")
        saved = re.search(r"([0-9]+) messages saved in", desk.shows("messages saved in"))
        assert saved
        capture = office.state / "captures" / f"call-{call['id']}.pcap"
        packets = tshark.read_sip(capture)
        assert len(packets) == int(saved[1])
        assert Counter(packet.title for packet in packets)["INVITE"] == 3
        assert (capture.stat().st_mode & 0o777, capture.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        await anna.hang_up()
        await bo.ended()
        desk.shows(f"Call {call['id']}.*ended: hung up")
        desk.shows("─+ BYE ─*▶")
        desk.press("Escape")
        desk.shows(SWITCHBOARD)
    finally:
        desk.close()
