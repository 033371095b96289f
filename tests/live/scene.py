"""A scene for services with real phones: who is there, what has come about, and whom a phone has heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.live import audio
from tests.live.baresip import Baresip
from tests.live.conftest import Phones
from tests.live.office import Office

TALK_S = 1.5
"""How long people talk so that each is heard."""
SHARE = 0.15
"""Of a piece's energy: two tones that are mixed have half each."""


async def people(office: Office, phones: Phones, *numbers: str) -> list[Baresip]:
    """A baresip for each of these new extensions, registered."""
    for number in numbers:
        if number not in office.passwords:
            office.extension(number)
    made = [await phones.baresip(office.account(number)) for number in numbers]
    for phone in made:
        await phone.registered()
    return made


async def until(is_so: Callable[[], object], what: str, within_s: float = 8.0) -> None:
    """Wait until ``is_so()``; fails naming ``what``."""
    try:
        async with asyncio.timeout(within_s):
            while not is_so():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {within_s:g} s in vain: {what}") from None


async def shown(office: Office, state: str, within_s: float = 8.0) -> None:
    """Wait until a call is in this state."""
    await until(lambda: state in states(office), f"a call is {state}", within_s)


def states(office: Office) -> list[str]:
    return [call["state"] for call in office.json("calls")]


async def silent(office: Office) -> None:
    """Wait until no call is left."""
    await until(lambda: not office.json("calls"), "no call is left")


def heard_ms(path: Path, tone: int) -> int:
    """For how many milliseconds a tone is heard, alone or among others."""
    samples, rate = audio.read_wav(path)
    size = rate // 10
    pieces = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    return 100 * sum(
        audio.level(piece) > audio.SILENCE_RMS and audio.tone_share(piece, rate, tone) > SHARE for piece in pieces
    )


def assert_hears(path: Path, *tones: int, at_least_ms: int = 500) -> None:
    """Each of these tones is heard in a recording, at one time or one after the other."""
    for tone in tones:
        heard = heard_ms(path, tone)
        assert heard >= at_least_ms, f"{tone} Hz is heard for {heard} ms in {path}"


def hears_itself(phone: Baresip) -> bool:
    """Whether a phone hears what it says."""
    return audio.heard_ms(phone.heard, phone.tone) > 0


async def talk(*pair: Baresip) -> None:
    """Two that are connected talk for a while, the first hangs up, and each has heard the other."""
    one, other = pair
    await asyncio.sleep(TALK_S)
    await one.hang_up()
    await other.ended()
    assert_hears(one.heard, other.tone)
    assert_hears(other.heard, one.tone)
