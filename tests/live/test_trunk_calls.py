"""Calls over a line that Kamailio serves as a carrier: out and in with real phones, challenged, under a limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.live.carrier import Carrier, open_carrier
from tests.live.conftest import Phones
from tests.live.network import Network, host_port
from tests.live.office import Office
from tests.live.outside import SIP_PORT, Outside, open_outside
from tests.live.processes import wait_until

ANNA, BO = "201", "202"
NUMBER = "4930555"


@pytest.fixture(scope="module")
def home(network: Network) -> str:
    """The address of the one phone outside."""
    return network.host()


@pytest.fixture(scope="module")
def carrier(
    office: Office, network: Network, home: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carrier]:
    """A carrier, and the office's line that is registered there."""
    for number in (ANNA, BO):
        office.extension(number)
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("carrier")
        outside = host_port(home, SIP_PORT)
        carrier = stack.enter_context(open_carrier(folder, network, {"line1": "geheim"}, outside=outside))
        office.cli(
            "trunk", "add", "telekom", "--host", carrier.address, "--register", "--username", "line1",
            "--password", "geheim",
        )  # fmt: skip
        office.cli("inbound", "add", "--trunk", "telekom", "--called", NUMBER, "--extension", ANNA)
        wait_until(lambda: line(office)["state"] == "registered", 10, "the line is registered")
        yield carrier


@pytest.fixture
def outside(tmp_path: Path, network: Network) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


def line(office: Office) -> dict[str, Any]:
    (found,) = office.json("trunk", "list")
    assert isinstance(found, dict)
    return found


def last_record(office: Office) -> dict[str, Any]:
    return max(office.json("records"), key=lambda record: record["started_at"])


async def test_a_call_goes_out_and_its_challenge_is_answered(
    office: Office, phones: Phones, outside: Outside, carrier: Carrier, home: str
) -> None:
    weber = outside.waits("outside_callee", home)
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks()
    (call,) = office.json("calls")
    assert (call["trunk_out"], call["trunk_in"], call["state"]) == ("telekom", None, "talking")
    assert line(office)["active_out"] == 1
    await anna.hang_up()
    heard = await weber.plays_to_the_end()
    assert "INVITE sip:4711@" in heard
    messages = office.json("ladder", call["id"])["messages"]
    assert any(message["text"].startswith("SIP/2.0 407") for message in messages if message["leg"] == 1)
    record = last_record(office)
    assert (record["trunk_out"], record["cause"]) == ("telekom", "normal")
    assert line(office)["active_out"] == 0


async def test_a_call_comes_in_for_the_number(
    office: Office, phones: Phones, outside: Outside, carrier: Carrier, home: str
) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    weber = outside.calls("outside_caller", home, NUMBER, carrier.address, says="", talks_ms="400")
    await anna.rings()
    (call,) = office.json("calls")
    assert (call["trunk_in"], call["caller"], call["caller_name"]) == ("telekom", "4930999", "Weber")
    await anna.accept()
    await anna.talks()
    await weber.plays_to_the_end()
    await anna.ended()
    assert last_record(office)["trunk_in"] == "telekom"


async def test_the_second_call_finds_the_line_full(
    office: Office, phones: Phones, outside: Outside, carrier: Carrier, home: str
) -> None:
    office.cli("trunk", "set", "telekom", "--max-out", "1")
    weber = outside.waits("outside_callee", home)
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    await anna.dial("94711")
    await anna.talks()
    await bo.dial("94712")
    assert "503" in await bo.ended()
    assert (line(office)["active_out"], line(office)["refused_out"]) == (1, 1)
    await anna.hang_up()
    await weber.plays_to_the_end()
    office.cli("trunk", "set", "telekom", "--max-out", "unlimited")
    assert line(office)["active_out"] == 0
