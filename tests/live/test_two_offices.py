"""Two offices joined by a line: calls between them, who may call, who is let in, and no number goes round."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from engine.media.prompts import Prompts
from tests.live import audio
from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office, open_office
from tests.live.processes import wait_until

ANNA, BO = "301", "401"
TALK_S = 1.5


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[tuple[Office, Office]]:
    """Berlin with Anna and Paris with Bo; behind 9 each sends to the other."""
    with ExitStack() as stack:
        berlin, paris = (
            stack.enter_context(open_office(tmp_path_factory.mktemp(name), network)) for name in ("berlin", "paris")
        )
        berlin.extension(ANNA, "--outside-number", "4930301")
        paris.extension(BO)
        berlin.cli("trunk", "add", "paris", "--host", f"{paris.host}:{SIP_PORT}")
        paris.cli("trunk", "add", "berlin", "--host", f"{berlin.host}:{SIP_PORT}")
        yield berlin, paris


async def test_the_two_talk_and_both_offices_record_their_line(
    offices: tuple[Office, Office], phones: Phones
) -> None:
    berlin, paris = offices
    anna, bo = await phones.baresip(berlin.account(ANNA)), await phones.baresip(paris.account(BO))
    await anna.registered()
    await bo.registered()
    found = berlin.json("route", "test", "--from", ANNA, "--to", f"9{BO}")
    assert (found["outcome"], found["target"], found["number"], found["caller"]) == (
        "trunk",
        "paris",
        BO,
        "4930301",
    )
    await anna.dial(f"9{BO}")
    await bo.rings()
    (ringing,) = paris.json("calls")
    assert (ringing["caller"], ringing["trunk_in"]) == ("4930301", "berlin")
    await bo.accept()
    await anna.talks()
    await asyncio.sleep(TALK_S)
    await anna.hang_up()
    await bo.ended()
    audio.assert_heard(anna.heard, bo.tone)
    audio.assert_heard(bo.heard, anna.tone)


async def test_no_number_goes_round(offices: tuple[Office, Office], phones: Phones) -> None:
    berlin, paris = offices
    berlin.cli("route", "add", "--called", "955", "--strip", "1", "--trunk", "paris")
    paris.cli("route", "add", "--called", "55", "--trunk", "berlin")
    anna = await phones.baresip(berlin.account(ANNA))
    await anna.registered()
    await anna.dial("95501")
    assert (await anna.ended()).startswith("404")
    wait_until(lambda: not berlin.json("calls") and not paris.json("calls"), 3, "nothing is left of it")


async def test_who_is_below_the_level_is_refused_until_it_has_it(
    offices: tuple[Office, Office], phones: Phones
) -> None:
    berlin, _ = offices
    berlin.cli("level", "add", "abroad", "--rank", "2")
    berlin.cli("route", "add", "--called", "94", "--strip", "1", "--level", "abroad", "--trunk", "paris")
    anna = await phones.baresip(berlin.account(ANNA))
    await anna.registered()
    await anna.dial(f"9{BO}")
    assert (await anna.ended()).startswith("403 Call Level Abroad Needed")
    said = Prompts(berlin.state / "prompts").find("not-allowed", "en")
    assert said is not None
    audio.assert_said(anna.heard, said.samples)
    assert berlin.json("route", "test", "--from", ANNA, "--to", f"9{BO}")["status"] == 403
    berlin.cli("extension", "set", ANNA, "--level", "abroad")
    await anna.dial(f"9{BO}")
    assert (await anna.ended()).startswith("480")  # Bo has no phone now
    assert "level abroad is used by extension 301" in berlin.refuses("level", "remove", "abroad")


async def test_the_other_office_screens_and_counts(offices: tuple[Office, Office], phones: Phones) -> None:
    berlin, paris = offices
    paris.cli("screen", "add", "--caller", "4930", "--called", BO)
    anna = await phones.baresip(berlin.account(ANNA))
    await anna.registered()
    await anna.dial(f"9{BO}")
    assert (await anna.ended()).startswith("403 Blocked By The Screening List")
    (row,) = [row for row in paris.json("screen", "list") if row["caller"] == "4930"]
    assert row["hits"] == 1
    tried = paris.json("route", "test", "--trunk", "berlin", "--to", BO, "--from", "4930301")
    assert (tried["outcome"], tried["status"]) == ("refused", 403)
    paris.cli("screen", "remove", str(row["id"]))


def test_a_blocked_network_is_cut_and_not_answered(offices: tuple[Office, Office], network: Network) -> None:
    _, paris = offices
    stranger = network.host()
    options = (
        f"OPTIONS sip:{paris.host} SIP/2.0\r\nVia: SIP/2.0/TCP {stranger};branch=z9hG4bK1;rport\r\n"
        f"From: <sip:a@{stranger}>;tag=1\r\nTo: <sip:{paris.host}>\r\nCall-ID: 1@{stranger}\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()

    def connected() -> socket.socket:
        return socket.create_connection((paris.host, SIP_PORT), 5, source_address=(stranger, 0))

    with connected() as before:
        before.sendall(options)
        assert before.recv(100).startswith(b"SIP/2.0 ")
        before.settimeout(5)
        paris.cli("address", "block", f"{stranger}/32")
        with suppress(ConnectionResetError):
            while before.recv(4000):
                """What was on its way."""
    with connected() as after:
        assert after.recv(100) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind((stranger, 0))
        datagrams.settimeout(1)
        datagrams.sendto(options.replace(b"/TCP", b"/UDP"), (paris.host, SIP_PORT))
        with pytest.raises(TimeoutError):
            datagrams.recv(100)
        paris.cli("address", "remove", stranger)
        datagrams.sendto(options.replace(b"/TCP", b"/UDP"), (paris.host, SIP_PORT))
        assert datagrams.recv(100).startswith(b"SIP/2.0 ")
