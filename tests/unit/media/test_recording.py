"""Recordings: WAV files that are readable at any moment, of a leg, of two, of a mix; a full disk ends one alone."""

from __future__ import annotations

import os
import wave
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.media.gateway import RecordingId
from engine.media.native import NativeGateway
from engine.media.recording import WavFile

from .phones import PCMA, PCMU, until
from .sound import level_of
from .test_mixing import Talker, talk

FULL_DISK = Path("/dev/full")


@pytest.fixture
async def gateway() -> AsyncIterator[NativeGateway]:
    gateway = NativeGateway(37400, 37499)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def talkers(gateway: NativeGateway) -> AsyncIterator[list[Talker]]:
    talkers = [Talker(gateway, 0), Talker(gateway, 1, PCMU), Talker(gateway, 2, PCMA)]
    for talker in talkers:
        await talker.begin()
    await gateway.connect(talkers[0].leg, talkers[1].leg)
    yield talkers
    for talker in talkers:
        talker.phone.close()


def read(path: Path) -> tuple[int, array[int]]:
    """Channels and samples."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        return file.getnchannels(), array("h", file.readframes(file.getnframes()))


async def test_one_peer_is_recorded(gateway: NativeGateway, talkers: list[Talker], tmp_path: Path) -> None:
    recording = await gateway.start_recording(talkers[0].leg, tmp_path / "one.wav")
    await talk(talkers[:2], 40)
    seconds = await gateway.stop_recording(recording)
    channels, samples = read(tmp_path / "one.wav")
    assert channels == 1
    assert seconds == pytest.approx(len(samples) / 8000)
    assert seconds == pytest.approx(0.8, abs=0.2)
    late = samples[len(samples) // 2 :]
    assert level_of(late, talkers[0].voice) == pytest.approx(8000, rel=0.1)
    assert level_of(late, talkers[1].voice) < 300
    assert (tmp_path / "one.wav").stat().st_mode & 0o777 == 0o600
    assert await gateway.stop_recording(recording) == 0


@pytest.mark.parametrize("stereo", [False, True])
async def test_both_peers_are_recorded(
    gateway: NativeGateway, talkers: list[Talker], tmp_path: Path, stereo: bool
) -> None:
    one, other, _ = talkers
    recording = await gateway.start_recording((one.leg, other.leg), tmp_path / "both.wav", stereo=stereo)
    await talk([one, other], 40)
    await gateway.stop_recording(recording)
    channels, samples = read(tmp_path / "both.wav")
    late = samples[len(samples) // 4 * 2 :]
    if not stereo:
        assert channels == 1
        assert min(level_of(late, each.voice) for each in (one, other)) > 7000
        return
    assert channels == 2
    left, right = late[::2], late[1::2]
    assert level_of(left, one.voice) > 7000 > 300 > level_of(left, other.voice)
    assert level_of(right, other.voice) > 7000 > 300 > level_of(right, one.voice)


async def test_a_mix_is_recorded_whole(gateway: NativeGateway, talkers: list[Talker], tmp_path: Path) -> None:
    mix = await gateway.open_mix()
    for talker in talkers:
        await gateway.join_mix(mix, talker.leg)
    recording = await gateway.start_recording(mix, tmp_path / "mix.wav")
    await talk(talkers, 40)
    await gateway.stop_recording(recording)
    _, samples = read(tmp_path / "mix.wav")
    late = samples[len(samples) // 2 :]
    assert min(level_of(late, talker.voice) for talker in talkers) > 7000


async def test_what_is_being_recorded_can_be_read(
    gateway: NativeGateway, talkers: list[Talker], tmp_path: Path
) -> None:
    """As after a crash: the header is true, whatever is still to come."""
    await gateway.start_recording(talkers[0].leg, tmp_path / "now.wav")
    assert read(tmp_path / "now.wav") == (1, array("h"))
    await talk(talkers[:2], 40)
    assert len(read(tmp_path / "now.wav")[1]) > 3000


async def test_it_ends_with_its_leg_and_is_complete(
    gateway: NativeGateway, talkers: list[Talker], tmp_path: Path
) -> None:
    recording = await gateway.start_recording(talkers[0].leg, tmp_path / "end.wav")
    await talk(talkers[:2], 30)
    await gateway.close_leg(talkers[0].leg)
    await talk(talkers[1:2], 20)
    seconds = await gateway.stop_recording(recording)
    assert len(read(tmp_path / "end.wav")[1]) == pytest.approx(4800, abs=640)
    assert seconds == pytest.approx(len(read(tmp_path / "end.wav")[1]) / 8000)


async def test_a_disk_that_is_full_ends_the_recording_and_nothing_else(
    gateway: NativeGateway, talkers: list[Talker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[tuple[RecordingId, str]] = []
    gateway.on_recording_failed = lambda number, reason: failed.append((number, reason))
    other = await gateway.start_recording(talkers[1].leg, tmp_path / "well.wav")
    recording = await gateway.start_recording(talkers[0].leg, tmp_path / "full.wav")
    file = gateway._writer._open[recording].file
    whole, full = file._file, os.fdopen(os.open(FULL_DISK, os.O_WRONLY), "wb", buffering=0)
    monkeypatch.setattr(file, "_file", full)
    whole.close()
    await talk(talkers[:2], 20)

    async def is_told() -> bool:
        return bool(failed)

    await until(is_told)
    assert failed == [(recording, "No space left on device")]
    seconds = await gateway.stop_recording(recording)
    assert seconds == file.seconds
    assert await gateway.stop_recording(recording) == 0
    assert await gateway.stop_recording(other) > 0.2
    heard = await talk(talkers[:2], 30)
    assert level_of(heard[talkers[1].voice][-1600:], talkers[0].voice) > 7000


async def test_a_file_that_cannot_be_made_is_refused(
    gateway: NativeGateway, talkers: list[Talker], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await gateway.start_recording(talkers[0].leg, tmp_path / "nowhere" / "x.wav")
    with pytest.raises(KeyError):
        await gateway.start_recording((talkers[0].leg, 999), tmp_path / "x.wav")  # type: ignore[arg-type]
    assert not (tmp_path / "x.wav").exists()


def test_a_file_grows_with_a_true_header(tmp_path: Path) -> None:
    file = WavFile(tmp_path / "grows.wav", 2)
    for count in (0, 2, 160, 4000):
        file.write(b"\1\0\2\0" * count)
        channels, samples = read(tmp_path / "grows.wav")
        assert (channels, len(samples) / 16000) == (2, file.seconds)
    file.close()
