"""Transcoding between PCMA, PCMU and G.722 where two peers have no codec in common, and only there."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId, PayloadFormat
from engine.media.native import NativeGateway

from .phones import PCMA, PCMU, Phone, own_host, rtp
from .sound import decode, encode, level_of, tone

G722 = PayloadFormat(9, "G722", 8000)
HOST = own_host(9)
HERTZ = 1004
FORMS = {"PCMA": PCMA, "PCMU": PCMU, "G722": G722}


class Pair:
    """Two phones with one codec each."""

    def __init__(self, gateway: NativeGateway) -> None:
        self.gateway = gateway
        self.one, self.other = Phone("127.3.9.1"), Phone("127.3.9.2")
        self.legs: list[MediaLegId] = []
        self.to = MediaAddress("", 0, 0)

    async def connect(self, one: tuple[PayloadFormat, ...], other: tuple[PayloadFormat, ...]) -> None:
        for phone, formats in ((self.one, one), (self.other, other)):
            leg, address = await self.gateway.open_leg(HOST)
            await self.gateway.update_leg(leg, LegPlan(phone.address, formats))
            self.legs.append(leg)
            self.to = self.to if self.to.port else address
        await self.gateway.connect(*self.legs)

    def carry(self, octets: bytes, payload_type: int) -> list[tuple[int, bytes]]:
        """What the other phone gets of what one says: payload types and payloads."""
        got = []
        for sequence, at in enumerate(range(0, len(octets), 160)):
            self.one.send(self.to, rtp(sequence, payload_type=payload_type, payload=octets[at : at + 160]))
            packet = self.other.hear()
            got.append((packet.payload_type, packet.payload))
        return got


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    gateway = NativeGateway(37500, 37599)
    await gateway.start()
    pair = Pair(gateway)
    yield pair
    pair.one.close()
    pair.other.close()
    await gateway.stop()


@pytest.mark.parametrize(("one", "other"), [("PCMA", "PCMU"), ("PCMU", "PCMA")])
async def test_between_the_laws(pair: Pair, one: str, other: str) -> None:
    await pair.connect((FORMS[one],), (FORMS[other],))
    got = pair.carry(encode(tone(HERTZ, 0.2), one), FORMS[one].payload_type)
    assert {kind for kind, _ in got} == {FORMS[other].payload_type}
    samples = [sample for _, payload in got for sample in decode(payload, other)]
    assert level_of(samples, HERTZ) == pytest.approx(8000, rel=0.05)
    assert noise_db(samples, HERTZ) < -30  # two laws of at least 33 dB each (G.712)


async def test_a_codec_in_common_is_left_as_it_is(pair: Pair) -> None:
    await pair.connect((PCMU, PCMA), (PCMA, PCMU))
    said = encode(tone(HERTZ, 0.1), "PCMU")
    assert pair.carry(said, 0) == [(0, said[at : at + 160]) for at in range(0, len(said), 160)]


async def test_there_and_back_through_g722(pair: Pair) -> None:
    """PCMA to G.722 by one gateway pair, and what comes back by the other way."""
    await pair.connect((PCMA,), (G722,))
    octets = b"".join(payload for _, payload in pair.carry(encode(tone(HERTZ, 0.4)), 8))
    back = Pair(pair.gateway)
    try:
        await back.connect((G722,), (PCMA,))
        got = back.carry(octets, 9)
    finally:
        back.one.close()
        back.other.close()
    samples = [sample for _, payload in got for sample in decode(payload)][800:]
    assert level_of(samples, HERTZ) == pytest.approx(8000, rel=0.05)
    assert noise_db(samples, HERTZ) < -25


def ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    assert program is not None, "ffmpeg is missing: install the Debian package ffmpeg"
    return program


def run(*arguments: str) -> bytes:
    return subprocess.run([ffmpeg(), "-v", "error", *arguments], check=True, capture_output=True, timeout=20).stdout


def samples_of(raw: bytes) -> list[int]:
    return [int.from_bytes(raw[at : at + 2], "little", signed=True) for at in range(0, len(raw) - 1, 2)]


async def test_our_g722_is_understood_by_another_decoder(pair: Pair, tmp_path: Path) -> None:
    """ffmpeg's codec has both bands; ours the lower one, which is all that speech at 8000 Hz has."""
    await pair.connect((PCMA,), (G722,))
    got = pair.carry(encode(tone(HERTZ, 0.4)), 8)
    (tmp_path / "ours.g722").write_bytes(b"".join(payload for _, payload in got))
    heard = samples_of(
        run("-f", "g722", "-i", str(tmp_path / "ours.g722"), "-ar", "8000", "-f", "s16le", "-"),
    )[800:2400]
    assert level_of(heard, HERTZ) == pytest.approx(8000, rel=0.1)
    assert noise_db(heard, HERTZ) < -22


async def test_we_understand_another_encoder_of_g722(pair: Pair, tmp_path: Path) -> None:
    wide = b"".join(sample.to_bytes(2, "little", signed=True) for sample in wide_tone(HERTZ, 0.4))
    (tmp_path / "tone.s16").write_bytes(wide)
    source = ("-f", "s16le", "-ar", "16000", "-i", str(tmp_path / "tone.s16"))
    octets = run(*source, "-c:a", "g722", "-f", "g722", "-")
    await pair.connect((G722,), (PCMA,))
    got = pair.carry(octets[: len(octets) // 160 * 160], 9)
    samples = [sample for _, payload in got for sample in decode(payload)][800:]
    assert level_of(samples, HERTZ) == pytest.approx(8000, rel=0.1)
    assert noise_db(samples, HERTZ) < -22


def wide_tone(frequency: float, seconds: float) -> list[int]:
    return [round(8000 * math.sin(2 * math.pi * frequency * i / 16000)) for i in range(round(16000 * seconds))]


def noise_db(samples: list[int], frequency: float) -> float:
    """What is not the tone, against the tone."""
    level = level_of(samples, frequency)
    power = sum(sample * sample for sample in samples) / len(samples)
    return 10 * math.log10(max(1.0, power - level * level / 2) / (level * level / 2))
