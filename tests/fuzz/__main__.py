"""``python -m tests.fuzz``: run the fuzzing campaigns, longer than the unit tests do; ends with 1 for a finding."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import random
import subprocess
import sys
from pathlib import Path

from tests.fuzz.campaign import Limits
from tests.fuzz.targets import CAMPAIGNS, TARGETS


def main() -> int:
    arguments = _arguments()
    logging.getLogger("engine").addHandler(logging.NullHandler())
    logging.getLogger("engine").propagate = False
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**31)
    limits = Limits(arguments.seconds, arguments.at_least, arguments.executions, seed)
    print(f"seed {seed}", flush=True)
    has_findings = False
    if arguments.guided:
        names = arguments.targets or list(CAMPAIGNS)
        return max([_run_guided(name, arguments.seconds, seed) for name in names])
    for name in arguments.targets or TARGETS:
        report = TARGETS[name]().run(limits)
        print(report, flush=True)
        for finding in report.findings:
            has_findings = True
            print(f"  {finding}", flush=True)
    return int(has_findings)


def _run_guided(name: str, seconds: float, seed: int) -> int:
    """Let atheris lead a campaign in a process of its own; what reaches new code stays for the next run."""
    if importlib.util.find_spec("atheris") is None:
        print("atheris is missing. This mends it:  .venv/bin/pip install -e '.[fuzz]'", file=sys.stderr)
        return 1
    folder = Path("build", "fuzz", name)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(folder)]
    options = [f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=8192", "-verbosity=1"]
    return subprocess.run([*command, *options, f"-artifact_prefix={folder}-"], check=False).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what strangers send.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; default all")
    parser.add_argument("--seconds", type=float, default=60.0, help="time for each target (default 60)")
    parser.add_argument("--at-least", type=int, default=20_000, help="executions of each, however long they take")
    parser.add_argument("--executions", type=int, help="stop after so many instead")
    parser.add_argument("--seed", type=int, help="repeat an earlier run")
    parser.add_argument("--guided", action="store_true", help="let coverage lead, with atheris")
    arguments = parser.parse_args()
    known = CAMPAIGNS if arguments.guided else TARGETS
    unknown = [name for name in arguments.targets if name not in known]
    if unknown:
        parser.error(f"there is no target '{unknown[0]}': use {', '.join(known)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
