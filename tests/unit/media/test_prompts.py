"""Prompts: every sentence has its sound in both languages; the office's own recordings go first."""

from __future__ import annotations

import tomllib
import wave
from array import array
from pathlib import Path

import pytest

from engine.core.paths import DATA
from engine.media.prompts import Prompts

SENTENCES = tomllib.loads((DATA / "prompts/sentences.toml").read_text("utf-8"))
LINES = SENTENCES["prompts"] | {f"digits/{name}": texts for name, texts in SENTENCES["numbers"].items()}


def write(file: Path, samples: list[int], rate: int = 8000) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(array("h", samples).tobytes())


@pytest.fixture
def prompts(tmp_path: Path) -> Prompts:
    return Prompts(tmp_path / "own", human=tmp_path / "human")


@pytest.mark.parametrize(("name", "language"), [(name, each) for name, texts in LINES.items() for each in texts])
def test_every_sentence_can_be_heard(prompts: Prompts, name: str, language: str) -> None:
    clip = prompts.find(name, language)
    assert clip is not None
    samples = array("h", clip.samples)
    text = LINES[name][language]
    assert 150 < clip.duration_ms < 1500 + 260 * len(text)
    assert max(map(abs, samples)) > 8000
    loud = sum(1 for sample in samples if abs(sample) > 400)
    assert loud > len(samples) / 10


def test_no_sound_is_without_its_sentence() -> None:
    folders = {language: DATA / "prompts" / language for language in ("en", "zh")}
    shipped = {
        (language, str(file.relative_to(folder).with_suffix("")))
        for language, folder in folders.items()
        for file in folder.rglob("*.ulaw")
    }
    assert shipped == {(language, name) for name, texts in LINES.items() for language in texts}


def test_a_language_without_it_is_said_in_english(prompts: Prompts) -> None:
    assert prompts.find("welcome", "fr") == prompts.find("welcome", "en")
    assert prompts.find("digits/11", "zh") == prompts.find("digits/11", "en")


def test_the_offices_own_goes_first_and_an_edit_is_heard(prompts: Prompts, tmp_path: Path) -> None:
    own = tmp_path / "own/en/welcome.wav"
    write(own, [1, 2, 3])
    first = prompts.find("welcome", "en")
    assert first is not None
    assert array("h", first.samples).tolist() == [1, 2, 3]
    write(own, [4, 5, 6, 7])
    second = prompts.find("welcome", "en")
    assert second is not None
    assert len(second.samples) == 8
    chinese = prompts.find("welcome", "zh")
    assert chinese is not None
    assert len(chinese.samples) > 1000


def test_human_recordings_go_before_the_shipped(prompts: Prompts, tmp_path: Path) -> None:
    write(tmp_path / "human/digits/7.wav", [9] * 100)
    write(tmp_path / "human/vm-goodbye.wav", [8] * 100)
    for name in ("digits/7", "goodbye"):
        clip = prompts.find(name, "en")
        assert clip is not None
        assert len(clip.samples) == 200
    chinese = prompts.find("digits/7", "zh")
    assert chinese is not None
    assert len(chinese.samples) > 1000


@pytest.mark.parametrize("content", [b"", b"RIFF", b"nonsense" * 100])
def test_a_broken_recording_is_passed_over(prompts: Prompts, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own/en/welcome.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    clip = prompts.find("welcome", "en")
    assert clip is not None
    assert len(clip.samples) > 1000
    write(file, [1] * 100, rate=16000)
    again = prompts.find("welcome", "en")
    assert again is not None
    assert len(again.samples) > 1000


@pytest.mark.parametrize("name", ["nothing", "", "../sentences", "digits/../../x", "/etc/passwd", "a b", "a//1"])
def test_what_there_is_not(prompts: Prompts, name: str) -> None:
    assert prompts.find(name, "en") is None
    assert prompts.find("welcome", "../en") == prompts.find("welcome", "en")
