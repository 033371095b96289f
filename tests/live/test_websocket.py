"""SIP over WebSocket (RFC 7118) with JsSIP: it registers, and watches lamps over calls and a restart."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from engine.net.admission import STRANGERS_PER_SOURCE
from tests.live.conftest import Phones
from tests.live.jssip_watcher import JsNotified, JsSipWatcher, start_watcher
from tests.live.network import Network, host_port
from tests.live.office import SIP_PORT, Office, open_office
from tests.live.processes import wait_until

ANNA, BO, WEB, OTHER = "201", "202", "203", "204"
Starts = Callable[..., JsSipWatcher]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("ws-office")
    with open_office(folder, network) as office:
        office.stop()
        office.extra = ("--ws", host_port(office.host, SIP_PORT + 2), "--wss", host_port(office.host, SIP_PORT + 3))
        office.start()
        for number in (ANNA, BO):
            office.extension(number)
        for number in (WEB, OTHER):
            office.extension(number, "--right", "pickup")
        yield office


@pytest.fixture
def watches(office: Office, tmp_path: Path) -> Iterator[Starts]:
    """Starts JsSIP watchers, which end with the test."""
    running: list[JsSipWatcher] = []

    def start(target: str, number: str = WEB, *, secure: bool = False, **options: object) -> JsSipWatcher:
        url = f"wss://{office.host}:{SIP_PORT + 3}" if secure else f"ws://{office.host}:{SIP_PORT + 2}"
        folder = tmp_path / f"jssip-{len(running)}"
        running.append(start_watcher(url, office.account(number), target, folder, **options))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for watcher in running:
        watcher.stop()


def in_order(heard: list[JsNotified]) -> bool:
    """Whether CSeq and version rise by one from each to the next."""
    return all(
        (later.cseq - sooner.cseq, later.version - sooner.version) == (1, 1) for sooner, later in pairwise(heard)
    )


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_jssip_sees_a_call_and_goes_on_after_a_restart(
    office: Office, phones: Phones, watches: Starts, secure: bool
) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    watcher = watches(BO, secure=secure)
    wait_until(lambda: len(watcher.notified()) == 1, 10, "JsSIP is told how things stand")
    assert watcher.said("registered") == 1
    assert watcher.last_states() == []
    assert {view["extension"]: view["transport"] for view in office.json("registration", "list")}[WEB] == (
        "wss" if secure else "ws"
    )
    await anna.dial(BO)
    await bo.rings()
    wait_until(lambda: watcher.last_states() == ["early"], 5, "the lamp blinks")
    assert f"sip:{ANNA}@" in watcher.notified()[-1].body
    await bo.accept()
    await bo.talks()
    wait_until(lambda: watcher.last_states() == ["confirmed"], 5, "the lamp is lit")
    before = watcher.notified()
    assert in_order(before)
    assert next(notify.states for notify in before if notify.states) in (["trying"], ["early"])
    office.kill()
    office.start()
    wait_until(lambda: len(watcher.notified()) > len(before), 15, "JsSIP is told when it has come back")
    first = watcher.notified()[len(before)]
    assert 'state="full"' in first.body
    assert first.states == []
    assert first.cseq > before[-1].cseq
    assert first.version > before[-1].version
    assert watcher.said("disconnected") >= 1
    assert watcher.said("ended") == 0, "the subscription has never ended"
    await anna.hang_up()
    await bo.hang_up()
    await anna.dial(BO)
    await bo.rings()
    wait_until(lambda: watcher.last_states() == ["early"], 5, "the lamp blinks again")
    await anna.hang_up()
    wait_until(lambda: watcher.last_states() == ["terminated"], 5, "the lamp is dark")
    assert in_order(watcher.notified()[len(before) :])


async def test_jssip_watches_a_panel_in_one_subscription(office: Office, phones: Phones, watches: Starts) -> None:
    anna, bo = await phones.pair(office.account(ANNA), office.account(BO))
    watcher = watches("lamps", is_list=True)
    wait_until(lambda: len(watcher.notified()) == 1, 10, "the whole panel is told")
    first = watcher.notified()[0]
    assert first.kind.startswith("multipart/related")
    assert 'fullState="true"' in first.body
    assert all(f'uri="sip:{number}@' in first.body for number in (ANNA, BO, WEB, OTHER))
    await anna.dial(BO)
    await bo.rings()
    wait_until(lambda: "early" in watcher.notified()[-1].body, 5, "the lamps of both blink")
    second = watcher.notified()[1]
    assert 'fullState="false"' in second.body
    await anna.hang_up()
    wait_until(lambda: watcher.notified()[-1].states[-1:] == ["terminated"], 5, "the lamps are dark")
    assert in_order(watcher.notified())


def people_many(office: Office, folder: Path) -> list[str]:
    """A hundred more extensions and a group of them, at once."""
    numbers = [str(number) for number in range(300, 400)]
    file = folder / "office.toml"
    office.cli("export", str(file), "--secrets")
    members = ", ".join(f'"{number}"' for number in numbers)
    tables = [f'[extension.{number}]\npassword = "pw-{number}-Xy7"\n' for number in numbers]
    tables.append(f'[group.600]\nkind = "pickup"\nmembers = [{members}]\n')
    file.write_text(file.read_text() + "\n" + "\n".join(tables))
    office.cli("import", str(file))
    office.passwords |= {number: f"pw-{number}-Xy7" for number in numbers}
    return numbers


async def test_a_hundred_lamps_in_one_subscription_over_a_restart(
    office: Office, phones: Phones, watches: Starts, tmp_path: Path
) -> None:
    numbers = people_many(office, tmp_path)
    anna = await phones.baresip(office.account(ANNA))
    first, second = await phones.pair(office.account("300"), office.account("399"))
    await anna.registered()
    watcher = watches("600", is_list=True)
    wait_until(lambda: len(watcher.notified()) == 1, 10, "the whole panel is told in one NOTIFY")
    assert re.findall(r'<resource uri="sip:(\d+)@', watcher.notified()[0].body) == numbers
    await anna.dial("399")
    await second.rings()
    wait_until(lambda: watcher.last_states() == ["early"], 5, "the last lamp of the panel blinks")
    changed = watcher.notified()[-1]
    assert 'fullState="false"' in changed.body
    assert re.findall(r'<resource uri="sip:(\d+)@', changed.body) == ["399"]
    before = watcher.notified()
    assert in_order(before)
    office.kill()
    office.start()
    wait_until(lambda: len(watcher.notified()) > len(before), 15, "the panel is told again")
    again = watcher.notified()[len(before)]
    assert 'fullState="true"' in again.body
    assert re.findall(r'<resource uri="sip:(\d+)@', again.body) == numbers
    assert again.states == []
    assert (again.cseq, again.version) > (before[-1].cseq, before[-1].version)
    await anna.hang_up()
    await second.hang_up()
    await anna.dial("300")
    await first.rings()
    wait_until(lambda: watcher.last_states() == ["early"], 5, "the first lamp of the panel blinks")
    assert in_order(watcher.notified()[len(before) :])


async def test_jssip_sees_who_does_not_want_to_be_disturbed(
    office: Office, phones: Phones, watches: Starts
) -> None:
    anna = await phones.baresip(office.account(ANNA))
    await anna.registered()
    watcher = watches(ANNA, OTHER, event="presence")
    wait_until(
        lambda: "Available" in watcher.notified()[-1].body if watcher.notified() else False, 10, "she is there"
    )
    office.cli("dnd", ANNA, "on")
    wait_until(lambda: "Do not disturb" in watcher.notified()[-1].body, 5, "presence tells it")
    office.cli("dnd", ANNA, "off")
    wait_until(lambda: "Available" in watcher.notified()[-1].body, 5, "presence tells it")


def test_pages_of_others_may_not_connect(office: Office, watches: Starts) -> None:
    page = "https://phone.example.org"
    refused = watches(BO, origin=page)
    wait_until(lambda: refused.said("disconnected") > 0, 10, "the page is refused")
    assert refused.said("connected") == 0
    office.cli("param", "set", "ws_origins", page)
    wait_until(lambda: refused.said("registered") > 0, 10, "the page is let in once the site says so")
    office.cli("param", "set", "ws_origins", "off")


def test_strangers_take_no_place_of_phones(office: Office, watches: Starts) -> None:
    """Who connects and says nothing displaces its own; what is no WebSocket gets a word on it."""
    address = (office.host, SIP_PORT + 2)
    with ExitStack() as stack:
        idle = [
            stack.enter_context(closing(socket.create_connection(address))) for _ in range(STRANGERS_PER_SOURCE)
        ]
        asking = stack.enter_context(closing(socket.create_connection(address)))
        idle[0].settimeout(5)
        with suppress(ConnectionResetError):
            assert idle[0].recv(100) == b"", "the one that waited longest made room"
        asking.settimeout(5)
        asking.sendall(b"GET / HTTP/1.1\r\nHost: office\r\n\r\n")
        answer = asking.recv(1000)
        assert answer.startswith(b"HTTP/1.1 426 ")
        assert b"RFC 7118" in answer
        watcher = watches(BO)
        wait_until(lambda: watcher.said("active") == 1, 10, "a phone gets through")
