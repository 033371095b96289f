"""An office behind a real NAT: its carrier knows the advertised address alone, and hears when that changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live.carrier import Carrier, open_carrier
from tests.live.conftest import Phones
from tests.live.nameserver import NameServer, open_nameserver
from tests.live.network import Network, host_port
from tests.live.office import SIP_PORT as OFFICE_PORT
from tests.live.office import Office, new_office
from tests.live.outside import SIP_PORT, Outside, open_outside
from tests.live.processes import wait_until
from tests.live.router import Router, open_router

ANNA = "201"
NUMBER = "4930555"


@pytest.fixture(scope="module")
def behind(
    tmp_path_factory: pytest.TempPathFactory, network: Network
) -> Iterator[tuple[Office, Router, NameServer]]:
    """An office behind a router, whose public address a name server knows; the name holds for ten seconds."""
    office = new_office(tmp_path_factory.mktemp("office"), network)
    with ExitStack() as stack:
        router = stack.enter_context(open_router(office.host))
        names = stack.enter_context(open_nameserver(network.host(), 5300))
        names.says(f"office.test. 10 A {router.get_address(7)}")
        office.extra = (
            "--advertise", "office.test", "--local-net", "127.0.0.0/8", "--resolver", names.address,
        )  # fmt: skip
        office.start()
        try:
            yield office, router, names
        finally:
            office.stop()


@pytest.fixture(scope="module")
def office(behind: tuple[Office, Router, NameServer]) -> Office:
    return behind[0]


@pytest.fixture(scope="module")
def home(behind: tuple[Office, Router, NameServer]) -> str:
    """The address of the one phone outside."""
    return behind[1].host()


@pytest.fixture(scope="module")
def carrier(
    behind: tuple[Office, Router, NameServer],
    network: Network,
    home: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Carrier]:
    office, router, _ = behind
    office.extension(ANNA)
    folder, phone = tmp_path_factory.mktemp("carrier"), host_port(home, SIP_PORT)
    with open_carrier(folder, network, {"line1": "geheim"}, outside=phone, host=router.host()) as carrier:
        office.cli(
            "trunk", "add", "telekom", "--host", carrier.address, "--register", "--username", "line1",
            "--password", "geheim",
        )  # fmt: skip
        office.cli("inbound", "add", "--trunk", "telekom", "--called", NUMBER, "--extension", ANNA)
        wait_until(lambda: line(office)["state"] == "registered", 10, "the line is registered")
        yield carrier


@pytest.fixture
def outside(tmp_path: Path, network: Network, behind: tuple[Office, Router, NameServer]) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


def line(office: Office) -> dict[str, Any]:
    (found,) = office.json("trunk", "list")
    assert isinstance(found, dict)
    return found


def assert_told(messages: str, office: Office, public: str) -> None:
    """The peer saw the office at ``public`` in Via, Contact and SDP, and never at its own address."""
    assert office.host not in messages
    assert f"{public}:{OFFICE_PORT}" in messages
    assert re.search(rf"^c=IN IP4 {re.escape(public)}\r?$", messages, re.MULTILINE)


async def test_calls_of_a_carrier_that_knows_the_public_address_alone(
    office: Office, phones: Phones, outside: Outside, carrier: Carrier, home: str
) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    weber = outside.calls("outside_caller", home, NUMBER, carrier.address, says="", talks_ms="400")
    await anna.rings()
    await anna.accept()
    await anna.talks()
    assert_told(await weber.plays_to_the_end(), office, "198.18.0.7")
    await anna.ended()
    assert all(office.host in message for message in anna.messages("INVITE "))


async def test_a_public_address_that_changes_is_told_to_registrar_and_call(
    behind: tuple[Office, Router, NameServer], phones: Phones, outside: Outside, carrier: Carrier, home: str
) -> None:
    office, router, names = behind
    weber = outside.waits("outside_moved", home)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    names.zone.clear()
    names.says(f"office.test. 10 A {router.get_address(8)}")
    wait_until(lambda: "CSeq: 3 ACK" in weber.messages(), 15, "the new address was told")
    await anna.hang_up()
    messages = re.split("^-{20,}", await weber.plays_to_the_end(), flags=re.MULTILINE)
    moved = next(place for place, message in enumerate(messages) if "CSeq: 3 INVITE" in message)
    before, after = "".join(messages[:moved]), "".join(messages[moved:])
    assert "198.18.0.8" not in before
    assert_told(after, office, "198.18.0.8")
    assert "198.18.0.7" not in after
    assert office.json("status")["advertised"] == ["198.18.0.8"]
    weber = outside.calls("outside_caller", home, NUMBER, carrier.address, says="", talks_ms="100")
    await anna.rings()  # the carrier reaches it at the new contact
    await anna.accept()
    assert_told(await weber.plays_to_the_end(), office, "198.18.0.8")
