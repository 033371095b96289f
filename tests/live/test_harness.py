"""The measuring tools themselves, without an office: phones that call each other directly, tones, the terminal."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.live import audio, processes
from tests.live.conftest import Phones
from tests.live.network import Network, host_port
from tests.live.phone import Account
from tests.live.terminal import Terminal


def nobody(number: str, host: str) -> Account:
    """An account that registers nowhere."""
    return Account(number, "none", host_port(host, 5060), expires_s=0)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_two_phones_without_an_office_hear_each_other(phones: Phones, network: Network, family: str) -> None:
    hosts = ("::1", "::1") if family == "ipv6" else (network.host(), network.host())
    first = await phones.baresip(nobody("201", hosts[0]), host=hosts[0])
    second = await phones.baresip(nobody("202", hosts[1]), host=hosts[1])
    await first.command("dial", f"sip:202@{host_port(second.host, second.port)}")
    await second.rings()
    await second.accept()
    await first.talks()
    await asyncio.sleep(1.2)
    await second.hang_up()
    await first.ended()
    audio.assert_heard(first.heard, second.tone)
    audio.assert_heard(second.heard, first.tone)


async def test_linphone_without_an_office_hears_baresip(phones: Phones, network: Network) -> None:
    hosts = network.host(), network.host()
    first = await phones.baresip(nobody("201", hosts[0]), host=hosts[0])
    second = await phones.linphone(nobody("202", hosts[1]), host=hosts[1])
    await first.command("dial", f"sip:202@{host_port(second.host, second.port)}")
    await second.rings()
    await second.accept()
    await first.talks()
    await asyncio.sleep(1.2)
    await second.hang_up()
    await first.ended()
    audio.assert_heard(first.heard, second.tone)
    audio.assert_heard(second.heard, first.tone)


def test_a_tone_is_told_from_another_and_from_silence(tmp_path: Path) -> None:
    for hertz in audio.TONES:
        tone = audio.write_tone(tmp_path / f"{hertz}.wav", hertz, 1.0)
        assert set(audio.profile(tone, *audio.TONES)) == {str(hertz)}
        others = [other for other in audio.TONES if other != hertz]
        assert set(audio.profile(tone, *others)) == {"other"}


def test_the_terminal_shows_what_its_program_prints(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, ["cat"], columns=80, rows=24)
    try:
        terminal.type("hello 陈波")
        assert terminal.shows("hello 陈波").startswith("hello")
        assert not terminal.is_dead()
    finally:
        terminal.close()


def test_every_program_that_a_test_needs_is_installed_by_prepare() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("*.py")]
    named = {name for text in sources for call in re.findall(r"needs\(([^)]*)\)", text)
             for name in re.findall(r'"([a-z-]+)"', call)}  # fmt: skip
    assert len(named) >= 9
    prepare = (Path(__file__).parents[2] / ".ci" / "prepare").read_text()
    essential = {"taskset"}  # Debian has util-linux on every machine
    assert named <= processes.PACKAGES.keys()
    assert {f"{name}:{processes.PACKAGES[name]}" for name in named - essential} <= set(
        prepare.replace(";", "").split()
    )
