"""``python -m bench``: runs the sections, prints a table or one JSON document, and keeps it in bench-results/."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import calls, consoles, endurance, lamps, mixes, registers, services, sound, start, trunks
from bench.machine import Cores, choose_cores, describe
from bench.progress import say
from bench.table import print_tables
from tests.live.network import Network, take_network

SECTIONS = ("calls", "registers", "relay", "start")
OPTIONAL_SECTIONS = ("hot", "consoles", "endurance", "trunks", "mixes", "sound", "lamps", "services")
"""Measured only when named."""
NEED_SIPP = ("calls", "registers", "consoles", "endurance", "trunks", "services")


def main() -> int:
    """Run what was asked for; status 1 when a section could not be measured."""
    options = _parse()
    network, cores = take_network(), choose_cores()
    document: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "short": options.short,
        "machine": describe(cores),
        "sections": {},
    }
    for name in options.sections or SECTIONS:
        document["sections"][name] = _measure(name, network, cores, options.short)
    document["machine"]["load_average_after"] = os.getloadavg()[0]
    path = _keep(document, options.output)
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        print_tables(document)
    say(f"kept in {path}")
    return int(any("error" in section for section in document["sections"].values()))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"{', '.join(SECTIONS)} (all by default) or {', '.join(OPTIONAL_SECTIONS)}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--short", action="store_true", help="a smoke of under 30 s; its figures say nothing")
    parser.add_argument("--output", type=Path, default=Path("bench-results"), help="folder for the JSON document")
    options = parser.parse_args()
    known = (*SECTIONS, *OPTIONAL_SECTIONS)
    unknown = set(options.sections) - set(known)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}: use {', '.join(known)}")
    return options


def _measure(name: str, network: Network, cores: Cores, is_short: bool) -> dict[str, Any]:
    """One section's figures, or ``{"error": ...}`` so that the others are still measured."""
    if name in NEED_SIPP and shutil.which("sipp") is None:
        return {"error": "sipp is missing: apt-get install sip-tester"}
    try:
        return _section(name, network, cores)(is_short)
    except (AssertionError, OSError, RuntimeError) as error:
        say(f"{name} could not be measured: {error}")
        return {"error": str(error)}


def _section(name: str, network: Network, cores: Cores) -> Callable[[bool], dict[str, Any]]:
    if name == "relay":
        relay = importlib.import_module("bench.relay")
        return lambda is_short: relay.measure({"short": is_short})
    if name == "sound":
        return lambda is_short: sound.measure(cores, is_short=is_short)
    if name == "hot":
        return lambda is_short: importlib.import_module("bench.hot").measure(is_short=is_short)
    section = {
        "calls": calls,
        "registers": registers,
        "start": start,
        "consoles": consoles,
        "endurance": endurance,
        "trunks": trunks,
        "mixes": mixes,
        "lamps": lamps,
        "services": services,
    }[name]
    return lambda is_short: section.measure(network, cores, is_short=is_short)


def _keep(document: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['at'].replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
