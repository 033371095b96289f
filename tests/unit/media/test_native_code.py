"""The C beneath the gateway, compiled with AddressSanitizer and UndefinedBehaviourSanitizer and run on its own."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import sysconfig
from array import array
from pathlib import Path
from random import Random

import pytest

from .wide import WIDE_RATE, decode_g722, encode_g722

SOURCES = Path(__file__).resolve().parents[3] / "engine/media/native"
TESTS = Path(__file__).parent / "native"
NEEDS_PYTHON = {"module.c", "relay_type.c", "clip_type.c", "mix_type.c", "recording_type.c", "python_values.c"}
LEAST_EXECUTIONS = 1_000_000
MEMORY = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
THREADS = ["-fsanitize=thread", "-Wno-tsan"]  # gcc warns that it does not follow fences: see leg_read
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Werror"]

GATEWAY_TESTS = [
    str(Path(__file__).with_name(f"test_{name}.py"))
    for name in (
        "digits",
        "latch",
        "mixing",
        "playing",
        "ports",
        "recording",
        "relay",
        "reports",
        "transcoding",
        "wide",
    )
]
INSTRUMENTED = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("engine.media._native", sys.argv[1])
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)
sys.modules[spec.name] = native
import engine.media.native, pytest
assert engine.media.native.Relay is native.Relay
options = ["-q", "-p", "no:cacheprovider", "-k", "not hundred_thousand and not round_trip and not every_compound"]
sys.exit(pytest.main([*options, *sys.argv[2:]]))
"""
"""Runs tests with the native module of argv[1]; memory that a sanitizer keeps and long waits are left out."""


def compile_c(target: Path, *options: str) -> None:
    command = ["gcc", "-std=c11", *WARNINGS, "-pthread", f"-I{SOURCES}", "-o", str(target)]
    subprocess.run([*command, *options, "-ldl"], check=True, timeout=120)


def compile_tests(target: Path, sanitizers: list[str]) -> Path:
    plain = [str(path) for path in sorted(SOURCES.glob("*.c")) if path.name not in NEEDS_PYTHON]
    tests = [str(path) for path in sorted(TESTS.glob("*.c"))]
    compile_c(target, "-g", "-O1", *sanitizers, *plain, *tests)
    return target


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_tests(tmp_path_factory.mktemp("native") / "media-tests", MEMORY)


def filtered(program: Path, test: str, data: bytes) -> bytes:
    return subprocess.run([program, test], input=data, capture_output=True, check=True, timeout=60).stdout


def speech_like(seconds: int) -> list[int]:
    """Both bands busy, loud and soft, with a touch of noise and moments at the limit."""
    dice = Random(722)
    course = []
    for index in range(WIDE_RATE * seconds):
        time = index / WIDE_RATE
        loud = 14000 * math.sin(2 * math.pi * 1.3 * time) ** 2
        value = loud * (
            math.sin(2 * math.pi * 430 * time) + 0.6 * math.sin(2 * math.pi * (900 + 5200 * time / seconds) * time)
        )
        course.append(max(-32768, min(32767, round(value + dice.gauss(0, 400)))))
    return course


def test_g722_is_decoded_bit_by_bit_as_another_decoder_does(program: Path) -> None:
    for octets in (encode_g722(speech_like(4)), Random(9).randbytes(40000)):
        ours = array("h", filtered(program, "g722 decode", octets))
        assert list(ours) == decode_g722(octets)


def test_g722_is_encoded_bit_by_bit_as_another_encoder_does(program: Path) -> None:
    dice = Random(11)
    noise = [dice.randrange(-32768, 32768) for _ in range(40000)]
    for samples in (speech_like(4), noise):
        ours = filtered(program, "g722 encode", array("h", samples).tobytes())
        theirs = encode_g722(samples)
        differing = sum(one != other for one, other in zip(ours, theirs, strict=True))
        assert differing == 0, f"{differing} of {len(ours)}"


def run(program: Path, test: str, **environment: str) -> str:
    done = subprocess.run([program, test], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "test", ["packets", "reception", "stream", "latch", "plan", "ports", "relay", "report", "voices"]
)
def test_claims_of_the_native_code_hold_under_the_sanitizers(program: Path, test: str) -> None:
    run(program, test)


def test_parsers_survive_random_packets(program: Path) -> None:
    executions, _, word = run(program, "random packets").partition(" ")
    assert word.strip() == "executions"
    assert int(executions) >= LEAST_EXECUTIONS


@pytest.mark.thorough
def test_engine_and_thread_never_race(tmp_path: Path) -> None:
    """The whole relay under ThreadSanitizer: the commands, the pairs that pass to and fro, an orderly end."""
    # An account is a sequence lock: read while it is written, and read again when it was; a race by design.
    (tmp_path / "suppressions").write_text("race:leg_read\n")
    program = compile_tests(tmp_path / "media-tests", THREADS)
    run(program, "relay", TSAN_OPTIONS=f"suppressions={tmp_path / 'suppressions'}")


@pytest.mark.thorough
def test_the_gateway_passes_its_tests_under_the_sanitizers(tmp_path: Path) -> None:
    """The Python face too: an instrumented build stands in for the one that is installed."""
    target = tmp_path / "_native.so"
    python = ["-isystem", sysconfig.get_path("include"), "-DPy_LIMITED_API=0x030b0000", "-fPIC", "-shared"]
    compile_c(target, "-g", "-O1", *MEMORY, *python, *(str(path) for path in sorted(SOURCES.glob("*.c"))))
    asan = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()
    done = subprocess.run(
        [sys.executable, "-c", INSTRUMENTED, str(target), *GATEWAY_TESTS],
        env={**os.environ, "LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0"},  # Python keeps what it likes
        capture_output=True, text=True, timeout=120, cwd=SOURCES.parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
