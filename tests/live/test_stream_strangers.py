"""What strangers do with TCP and TLS: no stranger keeps a phone out, fills the log or gets more than it should."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench import sipp
from bench.machine import choose_cores
from tests.live import processes
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, open_office
from tests.live.phone import connect
from tests.live.scripted import ScriptedPhone

ANNA, BO = "201", "202"
TLS_PORT = SIP_PORT + 1


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office"), network, tls=True) as office:
        for number in (ANNA, BO):
            office.extension(number)
        yield office


def options(host: str, number: int = 1, *, length: bool = True, port: int = 9) -> bytes:
    lines = [
        "OPTIONS sip:office SIP/2.0",
        f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{number}",
        f"From: <sip:me@{host}>;tag=1",
        "To: <sip:office>",
        f"Call-ID: {number}@{host}",
        "CSeq: 1 OPTIONS",
        *(("Content-Length: 0",) if length else ()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def test_pings_are_answered_and_messages_in_pieces_are_understood(office: Office, network: Network) -> None:
    host = network.host()
    reader, writer = await asyncio.open_connection(office.host, SIP_PORT, local_addr=(host, 0))
    writer.write(b"\r\n\r\n")
    assert await asyncio.wait_for(reader.readexactly(2), 2) == b"\r\n"
    message = options(host)
    writer.write(message[:50])
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.write(message[50:] + options(host, 2))
    answers = await asyncio.wait_for(reader.readuntil(b"Content-Length: 0\r\n\r\n"), 2)
    answers += await asyncio.wait_for(reader.readuntil(b"Content-Length: 0\r\n\r\n"), 2)
    assert answers.count(b"SIP/2.0 200 OK") == 2
    writer.close()


async def test_a_message_without_length_gets_400_and_the_end_of_its_connection(
    office: Office, network: Network
) -> None:
    host = network.host()
    reader, writer = await asyncio.open_connection(office.host, SIP_PORT, local_addr=(host, 0))
    writer.write(options(host, length=False) + options(host, 2) * 20)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"SIP/2.0 400 Missing Content-Length")
    assert answer.count(b"SIP/2.0 ") == 1
    writer.close()


async def test_an_answer_whose_connection_is_gone_comes_to_the_address_in_its_via(
    office: Office, phones: Phones, network: Network
) -> None:
    """The office asks the known phone, which is silent, for two seconds before it answers the newcomer."""
    gone = await phones.baresip(office.account(ANNA))
    await gone.registered()
    await gone.close(hard=True)
    host = network.host()
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(listen, host, 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection(office.host, SIP_PORT, local_addr=(host, 0))
    phone = ScriptedPhone(office, ANNA, "TCP", host, port)
    writer.write(phone.register())
    writer.write(phone.register(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)))
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.close()
    answer = await asyncio.wait_for(answers.get(), 5)
    assert answer.startswith(b"SIP/2.0 200 OK"), answer
    server.close()


async def test_who_sends_a_message_byte_by_byte_is_cut(office: Office, network: Network) -> None:
    host = network.host()
    reader, writer = await asyncio.open_connection(office.host, SIP_PORT, local_addr=(host, 0))
    started = time.monotonic()
    ended = asyncio.create_task(reader.read())
    for byte in options(host):
        writer.write(bytes((byte,)))
        await asyncio.sleep(0.15)
        if ended.done():
            break
    assert ended.done()
    assert 9 < time.monotonic() - started < 13
    writer.close()


async def test_who_asks_without_end_and_reads_nothing_is_cut_and_fills_no_memory(
    office: Office, network: Network
) -> None:
    assert office.process
    engine = psutil.Process(office.process.pid)
    before = engine.memory_info().rss
    host = network.host()
    flood = b"".join(options(host, number) for number in range(200))
    started = time.monotonic()

    def ask() -> None:
        with socket.create_connection((office.host, SIP_PORT), source_address=(host, 0)) as asking:
            asking.settimeout(40)
            while True:
                asking.sendall(flood)

    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        await asyncio.to_thread(ask)
    assert time.monotonic() - started < 40
    assert engine.memory_info().rss - before < 30 << 20
    assert office.log().count(host) < 5


async def test_two_thousand_idle_connections_of_a_stranger_keep_no_phone_out(
    office: Office, phones: Phones, network: Network
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    stranger = network.host()
    lines = []
    for port in (SIP_PORT, TLS_PORT):
        for _ in range(20):
            opening = [asyncio.open_connection(office.host, port, local_addr=(stranger, 0)) for _ in range(50)]
            lines += await asyncio.gather(*opening)
    try:
        anna = await phones.baresip(office.account(ANNA, transport="tls"))
        bo = await phones.baresip(office.account(BO, transport="tcp"))
        await anna.registered()
        await bo.registered()
        await connect(anna, bo)
        await bo.hang_up()
        await anna.ended()
        open_now = sum(not reader.at_eof() and reader.exception() is None for reader, _ in lines)
        assert open_now <= 64
    finally:
        for _, writer in lines:
            writer.transport.abort()
    assert office.log().count(stranger) < 20


def handshake(office: Office, *arguments: str, source: str | None = None) -> str:
    """What ``openssl s_client`` says."""
    processes.needs("openssl")
    bind = ["-bind", f"{source}:0"] if source else []
    done = subprocess.run(
        ["openssl", "s_client", "-connect", office.tls_address, *bind, *arguments],
        input="", capture_output=True, text=True, timeout=15, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def fingerprint(office: Office) -> str:
    shown = handshake(office)
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.S)
    assert pem, shown
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=pem.group(), capture_output=True, text=True, timeout=10, check=True,
    )  # fmt: skip
    return done.stdout.strip().partition("=")[2]


def test_tls_begins_with_version_1_2(office: Office) -> None:
    assert "Protocol  : TLSv1.2" in handshake(office, "-tls1_2")
    assert "TLSv1.3" in handshake(office, "-tls1_3")
    assert "Cipher is (NONE)" in handshake(office, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    processes.wait_until(lambda: "UNSUPPORTED_PROTOCOL" in office.log(), 2, "a line about it")


async def test_scanners_of_tls_are_counted_not_listed(office: Office, network: Network) -> None:
    stranger = network.host()
    before = len(office.log())
    for number in range(200):
        _, writer = await asyncio.open_connection(office.host, TLS_PORT, local_addr=(stranger, 0))
        writer.write(b"GET / HTTP/1.0\r\n\r\n" if number % 2 else bytes(range(64)))
        writer.close()
    await asyncio.sleep(0.5)
    said = office.log()[before:]
    assert len(said.splitlines()) < 12
    assert "Traceback" not in said
    assert "Cipher is (NONE)" not in handshake(office)


def make_pair(folder: Path, name: str) -> tuple[Path, Path]:
    processes.needs("openssl")
    certificate, key = folder / f"{name}-cert.pem", folder / f"{name}-key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}",
         "-keyout", key, "-out", certificate],
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    return certificate, key


async def test_another_certificate_is_shown_without_a_restart_and_without_touching_a_call(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    anna, bo = await phones.pair(office.account(ANNA, transport="tls"), office.account(BO, transport="tls"))
    await connect(anna, bo)
    own = office.json("certificate", "show")
    assert own["own"]
    assert fingerprint(office) == own["fingerprint"]
    certificate, key = make_pair(tmp_path, "given")
    certificate.replace(own["certificate"])
    key.replace(own["key"])
    processes.wait_until(lambda: fingerprint(office) != own["fingerprint"], 10, "the new certificate", every_s=0.5)
    assert office.json("certificate", "show")["subject"] == "given"
    assert office.json("calls")[0]["state"] == "talking"
    await anna.hang_up()
    await bo.ended()


def test_a_certificate_elsewhere_counts_on_command_and_a_bad_one_never(office: Office, tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path, "elsewhere")
    office.cli("param", "set", "tls_certificate", str(certificate))
    office.cli("param", "set", "tls_key", str(key))
    shown = office.json("certificate", "reload")
    assert shown["subject"] == "elsewhere"
    assert fingerprint(office) == shown["fingerprint"]
    _, other = make_pair(tmp_path, "other")
    other.replace(key)
    assert f"the key {key} does not belong to {certificate}" in office.refuses("certificate", "reload")
    assert fingerprint(office) == shown["fingerprint"]
    processes.wait_until(lambda: f"TLS: the key {key} does not belong" in office.log(), 10, "the line in the log")
    office.cli("param", "set", "tls_certificate", "off")
    office.cli("param", "set", "tls_key", "off")
    assert office.json("certificate", "reload")["subject"] == "given"


async def test_sipp_calls_over_tcp(office: Office, phones: Phones, network: Network, tmp_path: Path) -> None:
    processes.needs("sipp", "taskset")
    bo = await phones.baresip(office.account(BO), answer="auto")
    await bo.registered()
    authenticated = (sipp.SCENARIOS / "authenticated.xml").read_text()
    password = office.passwords[ANNA]
    scenario = sipp.fill("caller", tmp_path, authenticated=authenticated, user=ANNA, password=password, cseq="2")
    counted = await asyncio.to_thread(
        sipp.run, scenario, office.address, (network.host(), SIP_PORT), sipp.Load(1, 2), choose_cores(),
        "-t", "t1", "-s", BO,
    )  # fmt: skip
    assert (counted.successful, counted.failed) == (2, 0)
    assert counted.retransmissions == 0
