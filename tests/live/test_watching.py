"""Lamps of real phones' calls as an independent watcher (sipp) is told of them: RFC 6665, RFC 4235."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.conftest import Phones
from tests.live.office import Office
from tests.live.outside import open_outside
from tests.live.processes import wait_until
from tests.live.sipp import SCENARIOS, SippPhone

ANNA, BO, CHEF = "201", "202", "203"


@pytest.fixture(scope="module", autouse=True)
def people(office: Office) -> None:
    for number in (ANNA, BO):
        office.extension(number)
    office.extension(CHEF, "--right", "pickup")


@dataclass
class Notified:
    """One NOTIFY: its number in the dialog, the document's version, and each dialog's state."""

    cseq: int
    version: int
    states: list[str]
    text: str


def told(watcher: SippPhone) -> list[Notified]:
    """Every NOTIFY that has come whole, resent ones once."""
    found: dict[int, Notified] = {}
    for part in watcher.messages().split("\nNOTIFY ")[1:]:
        cseq = re.search(r"\nCSeq: (\d+) NOTIFY", part)
        version = re.search(r'<dialog-info [^>]*version="(\d+)"', part)
        if cseq and version and "</dialog-info>" in part:
            states = re.findall(r"<state>(\w+)</state>", part.partition("</dialog-info>")[0])
            found[int(cseq[1])] = Notified(int(cseq[1]), int(version[1]), states, part)
    return [found[number] for number in sorted(found)]


def last_states(watcher: SippPhone) -> list[str]:
    heard = told(watcher)
    return heard[-1].states if heard else ["nothing"]


async def watches(phones: Phones, office: Office, number: str) -> SippPhone:
    script = (SCENARIOS / "watcher.xml").read_text().replace("{watched}", number)
    watcher = await phones.scripted(office.account(CHEF), script)
    wait_until(lambda: bool(told(watcher)), 5, "the watcher is told how things stand")
    return watcher


@pytest.mark.timeout(120)
async def test_a_line_with_many_calls_is_told_in_full_and_then_in_part(
    office: Office, phones: Phones, tmp_path: Path
) -> None:
    """Five callers from outside (sipp) hear themselves: RFC 4235 section 4.3 as a watcher must follow it."""
    hosts = [phones.network.host() for _ in range(5)]
    addresses = [word for host in hosts for word in ("--from-address", host)]
    office.cli("trunk", "add", "line", "--host", f"{hosts[0]}:5060", *addresses)
    office.cli("inbound", "add", "--trunk", "line", "--called", "4930800", "--service", "echo")
    watcher = await watches(phones, office, "trunk-line")
    with open_outside(tmp_path, phones.network) as outside:
        for place, host in enumerate(hosts, 1):
            outside.calls("outside_caller", host, "4930800", office.address, says="", talks_ms="9000")
            wait_until(lambda count=place: calls_known(watcher) == ["confirmed"] * count, 5, "the call is told")
        parts = [notify for notify in told(watcher) if 'state="partial"' in notify.text]
        assert parts
        assert all(len(notify.states) == 1 for notify in parts), "what has not changed is not said again"
        assert "sip:4930999@" in told(watcher)[-1].text
        wait_until(lambda: calls_known(watcher) == [], 15, "the line is free")
    heard = told(watcher)
    assert [notify.version for notify in heard] == [*range(len(heard))]
    office.cli("inbound", "remove", "1")
    office.cli("trunk", "remove", "line")


def calls_known(watcher: SippPhone) -> list[str]:
    """The states of the dialogs that a watcher knows of that puts full and partial documents together."""
    known: dict[str, str] = {}
    for notify in told(watcher):
        document = notify.text.partition("</dialog-info>")[0]
        if 'state="full"' in document:
            known = {}
        known |= dict(re.findall(r'<dialog id="([^"]+)"[^>]*>\s*<state>(\w+)</state>', document))
    return [state for state in known.values() if state != "terminated"]


async def test_a_watcher_is_told_on_when_the_engine_was_killed_and_started_again(
    office: Office, phones: Phones
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    watcher = await watches(phones, office, BO)
    await anna.dial(BO)
    await bo.rings()
    await bo.accept()
    wait_until(lambda: last_states(watcher) == ["confirmed"], 5, "the lamp is lit")
    before = told(watcher)
    office.kill()
    office.start()
    wait_until(lambda: len(told(watcher)) > len(before), 5, "the watcher is told how things stand now")
    first = told(watcher)[len(before)]
    assert 'state="full"' in first.text
    assert first.states == [], "the calls of the engine that died are no more"
    assert first.cseq > before[-1].cseq
    assert first.version > before[-1].version
    await anna.hang_up()
    await bo.hang_up()
    await anna.dial(BO)
    await bo.rings()
    wait_until(lambda: last_states(watcher) == ["early"], 5, "the lamp blinks again")
    heard = told(watcher)[len(before) :]
    assert [notify.version for notify in heard] == [*range(first.version, first.version + len(heard))]
    assert [notify.cseq for notify in heard] == [*range(first.cseq, first.cseq + len(heard))]


async def test_a_watcher_sees_a_call_from_ringing_to_its_end(office: Office, phones: Phones) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    watcher = await watches(phones, office, BO)
    assert last_states(watcher) == []
    await anna.dial(BO)
    await bo.rings()
    wait_until(lambda: last_states(watcher) == ["early"], 5, "the lamp blinks")
    assert f"sip:{ANNA}@" in told(watcher)[-1].text
    await bo.accept()
    await bo.talks()
    wait_until(lambda: last_states(watcher) == ["confirmed"], 5, "the lamp is lit")
    await bo.hold()
    wait_until(lambda: "+sip.rendering" in told(watcher)[-1].text, 5, "the lamp shows the hold")
    await bo.resume()
    await anna.hang_up()
    wait_until(lambda: last_states(watcher) == ["terminated"], 5, "the lamp is dark")
    heard = told(watcher)
    assert [notify.version for notify in heard] == [*range(len(heard))]
    numbers = [notify.cseq for notify in heard]
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
