"""Reliable provisional responses (RFC 3262) on the wire: every pair of settings, carriers, real phones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Phones
from tests.live.network import Network
from tests.live.office import Office
from tests.live.outside import Outside, OutsidePhone, open_outside

ANNA, BO = "201", "202"
POLICIES = ("off", "supported", "required")
SAYS = {"off": "", "supported": "Supported: 100rel\n", "required": "Require: 100rel\n"}


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO):
        office.extension(number)


@pytest.fixture
def outside(tmp_path: Path, network: Network) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


@pytest.fixture
def line(office: Office, network: Network) -> Iterator[str]:
    """The address of a carrier that the office knows by it."""
    host = network.host()
    office.cli("trunk", "add", "line", "--host", f"{host}:5060")
    yield host
    office.cli("trunk", "remove", "line")


async def says(phone: OutsidePhone, what: str, within_s: float = 5.0) -> None:
    """Until a message with these words has crossed the phone's wire."""
    async with asyncio.timeout(within_s):
        while what not in phone.messages():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("callee", POLICIES)
@pytest.mark.parametrize("caller", POLICIES)
async def test_both_legs_are_independent(
    office: Office, phones: Phones, outside: Outside, line: str, caller: str, callee: str
) -> None:
    office.cli("trunk", "set", "line", "--reliable-provisional", caller)
    number = (
        f"22{POLICIES.index(caller)}{POLICIES.index(callee)}"  # one each: no phone must be asked whether it is gone
    )
    office.extension(number, "--reliable-provisional", callee)
    script = "outside_callee" if callee == "off" else "callee_reliable"
    anna = await phones.scripted(office.account(number), script)
    if caller != "required":
        weber = outside.calls("outside_caller", line, number, office.address, says=SAYS[caller], talks_ms="100")
    else:
        script = "caller_reliable" if callee == "off" else "caller_reliable_early"
        weber = outside.calls(script, line, number, office.address, says=SAYS[caller])
    heard, told = await anna.plays_to_the_end(), await weber.plays_to_the_end()
    invite = heard[heard.index("\nINVITE ") :].partition("\n\n")[0]
    assert ("Supported: 100rel" in invite) == (callee != "off")
    assert ("Require: 100rel" in invite) == (callee == "required")
    assert ("PRACK sip:" in heard) == (callee != "off")
    assert ("RSeq:" in told) == (caller == "required")


async def test_a_caller_that_requires_them_gets_them_of_a_phone_that_knows_none(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("extension", "set", ANNA, "--reliable-provisional", "off")
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    weber = outside.calls("caller_reliable", line, ANNA, office.address, says=SAYS["required"])
    await anna.rings()
    await says(weber, "CSeq: 2 PRACK")
    await anna.accept()
    await anna.talks()
    told = await weber.plays_to_the_end()
    assert "RSeq:" in told


@pytest.mark.parametrize(
    ("policy", "says_of_it", "status", "field"),
    [("off", SAYS["required"], "420", "Unsupported"), ("required", SAYS["off"], "421", "Require")],
)
async def test_a_peer_that_does_not_fit_is_told_why(
    office: Office, outside: Outside, line: str, policy: str, says_of_it: str, status: str, field: str
) -> None:
    office.cli("trunk", "set", "line", "--reliable-provisional", policy)
    weber = outside.calls("caller_refused", line, ANNA, office.address, says=says_of_it, status=status, field=field)
    await weber.plays_to_the_end()


async def test_a_carrier_that_takes_no_caller_without_them(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    office.cli("extension", "set", BO, "--reliable-provisional", "off")
    carrier = outside.waits("demanding_carrier", line)
    bo = await phones.baresip(office.account(BO))
    await bo.registered()
    await bo.dial("94711")
    await bo.talks()
    await bo.hang_up()
    heard = await carrier.plays_to_the_end()
    assert "PRACK sip:" in heard


async def test_a_real_phone_that_knows_them_acknowledges(
    office: Office, phones: Phones, outside: Outside, line: str
) -> None:
    """linphone gets early media of a carrier in reliable responses, for its extension is set so."""
    office.cli("extension", "set", ANNA, "--reliable-provisional", "required")
    anna = await phones.linphone(office.account(ANNA), reliable=True)
    await anna.registered()
    carrier = outside.waits("demanding_carrier", line)
    await anna.dial("94711")
    await anna.talks()
    await anna.hang_up()
    await carrier.plays_to_the_end()
    messages = office.json("ladder", ANNA)["messages"]
    assert {message["leg"] for message in messages if message["text"].startswith("PRACK ")} == {0, 1}
