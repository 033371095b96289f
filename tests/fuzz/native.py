"""RTP, RTCP and payloads fuzzed: libFuzzer drives the gateway's C under the sanitizers."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.campaign import CORPUS, Limits, Report

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "engine/media/native"
HARNESSES = Path(__file__).parent / "native"
UNDER_TEST = (
    "bank.c", "codec.c", "g711.c", "g722.c", "jitter.c", "opus_voice.c",
    "reception.c", "rtcp.c", "rtp.c", "stream.c",
)  # fmt: skip
LONGEST_INPUT = 512
GRACE_S = 60.0


@dataclass(frozen=True, slots=True)
class NativeTarget:
    """``HARNESSES/NAME.c``, whose ``LLVMFuzzerTestOneInput`` aborts when a claim does not hold."""

    name: str

    def run(self, limits: Limits) -> Report:
        """Fuzz within ``limits``; ``RuntimeError`` when the harness cannot be compiled."""
        with tempfile.TemporaryDirectory() as folder:
            program = compile_harness(self.name, Path(folder))
            report, began = Report(self.name), time.monotonic()
            # The second folder is only read: what is found goes to the first, and a failure beside the corpus.
            (grown := Path(folder) / "grown").mkdir()
            wanted = limits.executions or limits.at_least
            self._fuzz(program, grown, [f"-runs={wanted}"], limits, report)
            while limits.executions is None and not report.findings and time.monotonic() - began < limits.seconds:
                left_s = max(1, round(limits.seconds - (time.monotonic() - began)))
                self._fuzz(program, grown, [f"-max_total_time={left_s}"], limits, report)
            report.seconds = time.monotonic() - began
        return report

    def _fuzz(self, program: Path, grown: Path, bounds: list[str], limits: Limits, report: Report) -> None:
        corpus = CORPUS / self.name
        command = [str(program), *bounds, f"-seed={limits.seed}", f"-max_len={LONGEST_INPUT}", "-timeout=5"]
        command += [
            "-print_final_stats=1",
            "-verbosity=0",
            f"-artifact_prefix={corpus}/found-",
            str(grown),
            str(corpus),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=limits.seconds + GRACE_S)
        executed = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
        report.executions += int(executed[1]) if executed else 0
        if done.returncode:
            report.findings.append(done.stderr.strip())


def compile_harness(name: str, folder: Path) -> Path:
    """Build a harness with libFuzzer and the sanitizers; ``RuntimeError`` says what is missing or wrong."""
    if shutil.which("clang") is None:
        raise RuntimeError("clang is missing: .ci/prepare fuzzer installs it with libclang-rt-*-dev")
    program = folder / name
    sources = [str(HARNESSES / f"{name}.c"), *(str(SOURCES / each) for each in UNDER_TEST)]
    command = ["clang", "-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O2", f"-I{SOURCES}"]
    command += ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", *sources, "-o", str(program)]
    command += ["-pthread", "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"the harness {name} does not compile: {done.stderr.strip()}")
    return program
