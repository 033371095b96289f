"""What strangers throw at the office: it lives on, and a call in progress hears nothing of it."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
from collections import Counter
from pathlib import Path

import pytest

from tests.live import audio
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office
from tests.live.phone import connect

TORTURE = Path(__file__).parents[1] / "data" / "torture"
ANNA, BO = "401", "402"


@pytest.fixture(scope="module", autouse=True)
def staff(office: Office) -> None:
    """The extensions of this module."""
    office.extension(ANNA)
    office.extension(BO)


def nasty_datagrams(address: str) -> list[bytes]:
    """Torture messages of the RFCs, truncated ones, noise, and floods of one header."""
    messages = [path.read_bytes() for path in sorted(TORTURE.glob("rfc*/*")) if path.stat().st_size < 60000]
    assert len(messages) > 60
    chance = random.Random(4475)
    head = f"OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK".encode()
    odd = [
        b"",
        b"\0",
        b"\r\n\r\n",
        b"\xff" * 1500,
        b"INVITE",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"INVITE sip:401 SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"REGISTER sip:x SIP/2.0\r\n" + b"Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\n" * 600 + b"\r\n",
        b"INVITE sip:" + b"%00" * 5000 + b" SIP/2.0\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nSubject: " + b"(" * 20000 + b"\r\n\r\n",
        *(os.urandom(chance.randrange(1, 1400)) for _ in range(100)),
        *(head + str(n).encode() + b"\r\nMax-Forwards: -1\r\n\r\n" for n in range(20)),
    ]
    cut = [message[: chance.randrange(len(message))] for message in messages if message]
    return messages + cut + odd


async def throw(datagrams: list[bytes], source: str, target: tuple[str, int]) -> None:
    """Send all of them from one address of a stranger, some hundreds a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.bind((source, 0))
        for number, datagram in enumerate(datagrams):
            sender.sendto(datagram, target)
            if number % 10 == 0:
                await asyncio.sleep(0.02)


async def test_garbage_at_the_sip_port_leaves_a_call_unharmed(
    office: Office, phones: Phones, network: Network
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    await asyncio.sleep(0.5)
    target = (office.host, SIP_PORT)
    await throw(nasty_datagrams(office.address), network.host(), target)
    await asyncio.sleep(1.0)
    (call,) = office.json("calls")
    assert call["state"] == "talking"
    assert call["quality"]["loss_percent"] < 2.0
    assert "Traceback" not in office.log()
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(bo.heard, anna.tone, at_least_ms=1500)
    await connect(bo, anna)
    await bo.hang_up()


async def test_audio_from_a_stranger_is_not_heard(
    office: Office, phones: Phones, network: Network, tmp_path: Path
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await connect(anna, bo)
    await asyncio.sleep(0.8)
    port = announced_port(bo.messages("INVITE")[-1])
    await throw_rtp(network.host(), (office.host, port), seconds=1.5)
    await asyncio.sleep(0.8)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(bo.heard, anna.tone, at_least_ms=2000)
    audio.assert_heard(anna.heard, bo.tone, at_least_ms=2000)
    assert "other" not in audio.profile(anna.heard, *audio.TONES)


async def throw_rtp(source: str, target: tuple[str, int], seconds: float) -> None:
    """A loud square wave as PCMU, PCMA and things that are no RTP, at twice the pace of a phone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        loud = b"\x80" * 20 + b"\x00" * 20
        for number in range(int(seconds * 100)):
            for payload_type in (0, 8):
                header = bytes([0x80, payload_type]) + number.to_bytes(2, "big") + bytes(8)
                sender.sendto(header + loud * 4, target)
            sender.sendto(os.urandom(number % 60), target)
            await asyncio.sleep(0.01)


def announced_port(message: str) -> int:
    """The audio port in a message's SDP."""
    match = re.search(r"^m=audio (\d+) ", message, re.MULTILINE)
    assert match, message
    return int(match[1])


async def test_wrong_digests_by_the_hundred_are_refused_and_change_nothing(
    office: Office, phones: Phones, network: Network
) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    statuses = await asyncio.to_thread(forge_logins, office, network.host(), 300)
    assert statuses == {403: 300}
    assert [row["extension"] for row in office.json("registration", "list")] == [ANNA]
    log = office.log()
    assert "Traceback" not in log
    assert f"REGISTER of '{ANNA}'" in log
    assert log.count("wrong user or password") < 100, "strangers fill the log"


def forge_logins(office: Office, host: str, how_many: int) -> Counter[int]:
    """Answer a real challenge wrongly; how often each status came back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((host, 0))
        stranger.connect((office.host, SIP_PORT))
        stranger.settimeout(5)

        def ask(number: int, authorization: str = "") -> bytes:
            stranger.send(forged_register(office.address, number, authorization))
            return stranger.recv(65535)

        challenge = dict(re.findall(r'(realm|nonce)="([^"]*)"', ask(0).decode()))
        statuses: Counter[int] = Counter()
        for number in range(1, how_many + 1):
            login = (
                f'Authorization: Digest username="{ANNA}", realm="{challenge["realm"]}", '
                f'nonce="{challenge["nonce"]}", uri="sip:{office.address}", response="{number:032x}", '
                f'algorithm=MD5, qop=auth, nc={number:08x}, cnonce="x"'
            )
            statuses[int(ask(number, login).split()[1])] += 1
        return statuses


def forged_register(address: str, number: int, authorization: str) -> bytes:
    """A REGISTER for somebody else's number."""
    lines = [
        f"REGISTER sip:{address} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKforged{number};rport",
        "Max-Forwards: 70",
        f"From: <sip:{ANNA}@{address}>;tag=f{number}",
        f"To: <sip:{ANNA}@{address}>",
        f"Call-ID: forged-{number}",
        "CSeq: 1 REGISTER",
        f"Contact: <sip:{ANNA}@127.0.0.1:9>",
        *([authorization] if authorization else []),
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()
