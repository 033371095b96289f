"""A short run of the bench: its document has the shape that readers rely on; its figures are not judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import processes

ROOT = Path(__file__).parents[2]
STEP = {"rate", "created", "successful", "failed", "retransmissions", "attained_per_s", "control", "is_carried"}


@pytest.mark.timeout(120)
def test_a_short_bench_prints_one_complete_json_document(tmp_path: Path) -> None:
    processes.needs("sipp", "rtpengine")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--short", "--json", "--output", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    document = json.loads(done.stdout)
    assert set(document) >= {"at", "short", "machine", "sections"}
    sections = document["sections"]
    assert set(sections) == {"calls", "registers", "relay", "start"}
    for step in (*sections["calls"]["engine"], *sections["calls"]["bare_uas"], *sections["registers"]["steps"]):
        assert set(step) >= STEP
        assert step["successful"] > 0
        assert set(step["control"]) >= {"ticks", "p99_ms", "max_ms"}
    assert set(sections["calls"]["ratios"]) == {"at_calls_per_s", "cpu_per_call", "calls_per_s"}
    relay = sections["relay"]
    assert set(relay["ratios"]) == {"cpu_over_echo", "cpu_over_rtpengine"}
    for load in (relay["native"], relay["native"]["v4_to_v6"], relay["echo"], relay["rtpengine"]):
        assert load["received"] > 0
    assert sections["start"]["best_s"] > sections["start"]["best_floor_s"] > 0
    assert sections["start"]["rss_mib"] > 0
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text()) == document


@pytest.mark.timeout(120)
def test_a_short_bench_of_services_tells_cost_and_lateness(tmp_path: Path) -> None:
    processes.needs("sipp")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "services", "--short", "--json", "--output", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    services = json.loads(done.stdout)["sections"]["services"]
    assert set(services["ratios"]) == {"start", "cpu_per_packet", "late_p99"}
    assert services["start"]["services"]["voicemail"]["p50_ms"] > services["start"]["floor_p50_ms"] > 0
    assert services["engine"]["failed"] == 0
    assert services["engine"]["calls_at_the_end"] == services["calls"]
    for figures in (services["engine"], services["gateway_alone"]):
        assert figures["audio"]["streams"] == services["calls"]
        assert figures["audio"]["packets"] > 0
        assert set(figures["audio"]) >= {"lost", "late_p50_ms", "late_p99_ms", "late_max_ms"}
