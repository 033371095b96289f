"""Fax by T.38 between a machine outside and one in the house: what the one sends comes back from the other."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office
from tests.live.outside import Outside, open_outside
from tests.live.processes import wait_until

FAX, NUMBER = "205", "4930777"
DATAGRAM = bytes.fromhex("0000 0601 c080 0000 ff 0000")


@pytest.fixture
def outside(tmp_path: Path, network: Network) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


async def test_datagrams_of_two_fax_machines_are_relayed(
    office: Office, phones: Phones, outside: Outside, network: Network
) -> None:
    home = network.host()
    office.extension(FAX)
    office.cli("trunk", "add", "fax", "--host", home)
    office.cli("inbound", "add", "--trunk", "fax", "--called", NUMBER, "--extension", FAX)
    called = await phones.scripted(office.account(FAX), "fax_callee")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as machine:
        machine.bind((home, 0))
        machine.settimeout(5)
        caller = outside.calls(
            "fax_caller", home, NUMBER, office.address, fax_port=str(machine.getsockname()[1]), talks_ms="2000"
        )
        wait_until(lambda: "CSeq: 2 ACK" in caller.messages(), 8, "the call is in T.38")
        (call,) = office.json("calls")
        assert {party["codec"] for party in call["parties"]} == {"T38"}
        offer, answer = re.findall(r"m=image (\d+) udptl t38", caller.messages())
        machine.sendto(DATAGRAM, (office.host, int(answer)))
        assert machine.recv(2048) == DATAGRAM
        assert int(offer) == machine.getsockname()[1]
    messages = await caller.plays_to_the_end()
    assert "a=T38MaxBitRate:9600" in messages
    assert "a=T38FaxUdpEC:t38UDPRedundancy" in await called.plays_to_the_end()
