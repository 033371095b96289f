"""What understanding sound costs, and how well it is done: transcoding beside ffmpeg, digits in speech and noise.

ffmpeg's figure is its processor time for the same minute of audio, decoded and encoded again, without what it takes
to start. Digits are heard in clean tones, in tones with noise, and in speech that holds none (espeak-ng).
"""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from array import array
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from bench.machine import Cores, choose_cores
from bench.progress import say
from bench.relay_peers import ROOT, pinned
from engine.media._native import opus_version

NATIVE = ROOT / "engine/media/native"
CODECS = ("PCMA", "PCMU", "G722", "OPUS")
FFMPEG = {
    "PCMA": ("alaw", "pcm_alaw"),
    "PCMU": ("mulaw", "pcm_mulaw"),
    "G722": ("g722", "g722"),
    "OPUS": ("ogg", "libopus"),
}
"""The format and the encoder of each."""
FRAMES = 3000
DIGITS = "0123456789*#ABCD"
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYPAD = ("123A", "456B", "789C", "*0#D")
RATE = 8000
SPEECH = ("en-us", "en-gb", "de", "fr", "cmn")


def measure(cores: Cores, *, is_short: bool) -> dict[str, Any]:
    """The section's figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: dict[str, Any] = {"transcoding_ns_per_frame": _transcoding(folder, cores, is_short)}
        figures["digits"] = _digits(folder, cores, is_short)
    return figures


# -- transcoding ------------------------------------------------------------------------------------------------


def _transcoding(folder: Path, cores: Cores, is_short: bool) -> list[dict[str, Any]]:
    """Each pair of codecs; between G.722 and Opus with both bands, to and from G.711 with the lower one.

    G.722 to itself is what a wide mix does for one member.
    """
    program = _compile(folder, "codecs", ("codec", "g711", "g722", "bank", "opus_voice"))
    has_opus = opus_version() is not None
    has_ffmpeg = shutil.which("ffmpeg") is not None
    if has_ffmpeg:
        _make_sources(folder, program, has_opus)
    rows = []
    for one, other in product(CODECS, CODECS):
        pair = {one, other}
        if (
            (one == other and one != "G722")
            or ("OPUS" in pair and not has_opus)
            or (is_short and pair & {"G722", "OPUS"})
        ):
            continue
        source = [str(_source(folder, one, 1))] if has_ffmpeg and one != "OPUS" else []
        ours = float(_run(pinned(cores.measured, str(program), one, other, *source)).split()[0])
        row: dict[str, Any] = {"from": one, "to": other, "wide": pair <= {"G722", "OPUS"}, "ours": round(ours)}
        if has_ffmpeg:
            row["ffmpeg"] = round(_ffmpeg_ns(folder, cores, one, other))
            row["ratio"] = round(ours / row["ffmpeg"], 3) if row["ffmpeg"] else None
        rows.append(row)
        say(f"transcoding {one} to {other}: {row}")
    return rows


def _source(folder: Path, codec: str, minutes: int) -> Path:
    return folder / f"{codec}-{minutes}"


def _minutes(codec: str) -> tuple[int, int]:
    """How much of a codec is converted by ffmpeg: a little, and much."""
    return (2, 10) if codec == "OPUS" else (5, 100)


def _make_sources(folder: Path, program: Path, has_opus: bool) -> None:
    """The same minute of sound in every codec, once and many times over."""
    samples = subprocess.run([str(program), "samples"], capture_output=True, check=True, timeout=60).stdout
    for codec in CODECS:
        if codec == "OPUS" and not has_opus:
            continue
        lengths = sorted({1, *_minutes(codec), *_minutes("OPUS")})
        for minutes in lengths:
            command = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "16000", "-i", "-", *_target(codec, "PCMA")]
            sound = samples * minutes
            done = subprocess.run([*command, "-y", str(_source(folder, codec, minutes))], input=sound, timeout=120)
            done.check_returncode()


def _target(codec: str, source: str) -> list[str]:
    """What ffmpeg is told of the codec that it makes of another; as ours, Opus is narrow where the other is."""
    if codec == "OPUS":
        rate, bits = ("16000", "28k") if source == "G722" else ("8000", "20k")
        options = ["-application", "voip", "-compression_level", "4", "-fec", "1", "-packet_loss", "5"]
        return ["-ar", rate, "-c:a", "libopus", "-b:a", bits, *options, "-f", "ogg"]
    rate = "16000" if codec == "G722" else "8000"
    return ["-ar", rate, "-c:a", FFMPEG[codec][1], "-f", FFMPEG[codec][0]]


def _ffmpeg_ns(folder: Path, cores: Cores, one: str, other: str) -> float:
    """Processor time a frame: of many minutes less that of a few, so that its start does not count."""
    minutes = _minutes("OPUS" if "OPUS" in (one, other) else one)
    spent = []
    for count in minutes:
        rate = ["-ar", "8000"] if one in ("PCMA", "PCMU") else []
        command = ["ffmpeg", "-hide_banner", "-nostats", "-benchmark", "-threads", "1"]
        command += ["-f", FFMPEG[one][0], *rate, *(["-c:a", "libopus"] if one == "OPUS" else [])]
        command += ["-i", str(_source(folder, one, count)), *_target(other, one), "-y", "/dev/null"]
        done = subprocess.run(
            pinned(cores.measured, *command), capture_output=True, text=True, timeout=60, check=True
        )
        user = re.search(r"utime=([\d.]+)s", done.stderr)
        system = re.search(r"stime=([\d.]+)s", done.stderr)
        spent.append(float(user[1] if user else 0) + float(system[1] if system else 0))
    return max(0.0, spent[1] - spent[0]) / (FRAMES * (minutes[1] - minutes[0])) * 1e9


# -- digits -----------------------------------------------------------------------------------------------------


def _digits(folder: Path, cores: Cores, is_short: bool) -> dict[str, Any]:
    program = _compile(folder, "hearing", ("dtmf",))
    turns = 5 if is_short else 40
    figures: dict[str, Any] = {}
    conditions: dict[str, dict[str, Any]] = {
        "clean": {},
        "40_ms": {"milliseconds": 40},
        "weak_27_db": {"level": 450.0},
        "noise_20_db": {"noise_db": 20.0},
        "noise_15_db": {"noise_db": 15.0},
        "twist_6_db": {"twist_db": 6.0},
        "offset_1_5_percent": {"offset": 1.015},
    }
    for name, condition in conditions.items():
        samples, pressed = _keys(turns, **condition)
        heard, frame_ns = _hear(program, cores, samples)
        missed = _missing(pressed, heard)
        figures[name] = {
            "pressed": len(pressed),
            "missed": missed,
            "beside": len(heard) - (len(pressed) - missed),
        }
        figures["ns_per_frame"] = frame_ns
        say(f"digits, {name}: {figures[name]}")
    figures["short_20_ms_taken"] = len(_hear(program, cores, _keys(turns, milliseconds=20)[0])[0])
    dice = Random(7)
    minutes = 1 if is_short else 20
    noise = array("h", (max(-32768, min(32767, round(dice.gauss(0, 3000)))) for _ in range(RATE * 60 * minutes)))
    figures["noise"] = {"minutes": minutes, "false": len(_hear(program, cores, noise)[0])}
    if shutil.which("espeak-ng") is not None:
        figures["speech"] = _speech(program, cores, folder, is_short)
    say(f"digits in noise {figures['noise']}, in speech {figures.get('speech')}")
    return figures


def _keys(
    turns: int,
    *,
    milliseconds: int = 70,
    level: float = 4500.0,
    noise_db: float | None = None,
    twist_db: float = 0.0,
    offset: float = 1.0,
) -> tuple[array[int], str]:
    """Every digit ``turns`` times with pauses, and which they were."""
    dice = Random(3)
    samples: array[int] = array("h")
    pressed = DIGITS * turns
    spread = level / 10 ** (noise_db / 20) if noise_db is not None else 0.0
    for digit in pressed:
        row, column = next((r, line.index(digit)) for r, line in enumerate(KEYPAD) if digit in line)
        low, high = ROWS[row] * offset, COLUMNS[column] * offset
        weaker = level / 10 ** (twist_db / 20)
        phase = dice.random()
        for index in range(RATE * (milliseconds + 60) // 1000):
            value = dice.gauss(0, spread) if spread else 0.0
            if index < RATE * milliseconds // 1000:
                turn = 2 * math.pi * (index / RATE)
                value += level * math.sin(turn * low + phase) + weaker * math.sin(turn * high)
            samples.append(max(-32768, min(32767, round(value))))
    return samples, pressed


def _missing(pressed: str, heard: str) -> int:
    """How many of the digits are not among those heard, in their order."""
    at = found = 0
    for digit in pressed:
        place = heard.find(digit, at, at + 4)
        if place >= 0:
            found, at = found + 1, place + 1
    return len(pressed) - found


def _speech(program: Path, cores: Cores, folder: Path, is_short: bool) -> dict[str, Any]:
    """Whoever reads this project's pages aloud presses no key."""
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs/architecture.md").read_text("utf-8")
    text = text[:1500] if is_short else text[:24000]
    seconds, false = 0.0, 0
    for voice in SPEECH[:1] if is_short else SPEECH:
        spoken = folder / "spoken.wav"
        subprocess.run(
            ["espeak-ng", "-v", voice, "-w", str(spoken), text], check=True, capture_output=True, timeout=120
        )
        command = ["ffmpeg", "-v", "error", "-i", str(spoken), "-ar", "8000", "-ac", "1", "-f", "s16le", "-"]
        raw = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
        seconds += len(raw) / 2 / RATE
        false += len(_hear(program, cores, array("h", raw))[0])
    return {"minutes": round(seconds / 60, 1), "voices": len(SPEECH[:1] if is_short else SPEECH), "false": false}


def _hear(program: Path, cores: Cores, samples: array[int]) -> tuple[str, int]:
    """The digits that are heard, and what a frame takes."""
    command = pinned(cores.measured, str(program))
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True, timeout=120)
    lines = done.stdout.decode().split("\n")
    return "".join(line[0] for line in lines if line[1:2] == " "), int(lines[-2].split()[1])


# -- both -------------------------------------------------------------------------------------------------------


def _compile(folder: Path, name: str, parts: tuple[str, ...]) -> Path:
    target = folder / name
    sources = [str(ROOT / "bench/native" / f"{name}.c"), *[str(NATIVE / f"{part}.c") for part in parts]]
    command = [
        "gcc",
        "-O3",
        "-std=c11",
        "-D_DEFAULT_SOURCE",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{NATIVE}",
        *sources,
    ]
    done = subprocess.run([*command, "-o", str(target), "-lm", "-ldl"], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{name}.c does not compile: {done.stderr.strip()}")
    return target


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


if __name__ == "__main__":
    print(json.dumps(measure(choose_cores(), is_short="--short" in sys.argv), indent=2))
