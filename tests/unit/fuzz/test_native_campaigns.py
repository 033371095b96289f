"""The fuzzing of RTP and RTCP: a million executions of each in every test run, and a failure is told and kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.fuzz.campaign import Limits
from tests.fuzz.native import NativeTarget, compile_harness

LEAST_EXECUTIONS = 1_000_000
VOICE_EXECUTIONS = 50_000
FRAGILE = """
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size > 2 && input[0] == 'b' && input[1] == 'a' && input[2] == 'd')
        abort();
    return 0;
}
"""


@pytest.fixture(scope="module", autouse=True)
def fuzzer() -> None:
    """clang with libFuzzer; without it the tests are skipped by name, and in continuous integration they fail."""
    if shutil.which("clang") is None and os.environ.get("CI") != "true":
        pytest.skip("clang is missing: .ci/prepare fuzzer installs it")


@pytest.mark.thorough
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["rtp", "rtcp"])
def test_a_million_packets_break_no_claim(name: str) -> None:
    report = NativeTarget(name).run(Limits(executions=LEAST_EXECUTIONS, seed=1))
    assert not report.findings, "\\n".join(report.findings)
    assert report.executions >= LEAST_EXECUTIONS


@pytest.mark.thorough
@pytest.mark.timeout(120)
def test_what_strangers_say_breaks_no_claim() -> None:
    report = NativeTarget("voice").run(Limits(executions=VOICE_EXECUTIONS, seed=1))
    assert not report.findings, "\n".join(report.findings)
    assert report.executions >= VOICE_EXECUTIONS


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "fragile.c").write_text(FRAGILE)
    corpus = tmp_path / "corpus" / "fragile"
    corpus.mkdir(parents=True)
    (corpus / "seed").write_bytes(b"ba")
    monkeypatch.setattr("tests.fuzz.native.HARNESSES", tmp_path)
    monkeypatch.setattr("tests.fuzz.native.CORPUS", corpus.parent)
    return corpus


def test_an_input_that_breaks_a_claim_is_told_and_kept_beside_the_corpus(kept: Path) -> None:
    report = NativeTarget("fragile").run(Limits(executions=LEAST_EXECUTIONS, seed=1))
    assert len(report.findings) == 1
    assert "deadly signal" in report.findings[0]
    (found,) = kept.glob("found-crash-*")
    assert found.read_bytes().startswith(b"bad")


def test_a_harness_that_does_not_compile_says_why(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "fragile.c").write_text("int main(void) { return nothing; }")
    with pytest.raises(RuntimeError, match="use of undeclared identifier 'nothing'"):
        compile_harness("fragile", tmp_path)
