"""``python -m tests.fuzz``: run the fuzzing campaigns, longer than the unit tests do; ends with 1 for a finding."""

from __future__ import annotations

import argparse
import logging
import random
import sys

from tests.fuzz.campaign import Limits
from tests.fuzz.targets import TARGETS


def main() -> int:
    arguments = _arguments()
    logging.getLogger("engine").addHandler(logging.NullHandler())
    logging.getLogger("engine").propagate = False
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**31)
    limits = Limits(arguments.seconds, arguments.at_least, arguments.executions, seed)
    print(f"seed {seed}", flush=True)
    has_findings = False
    for name in arguments.targets or TARGETS:
        report = TARGETS[name]().run(limits)
        print(report, flush=True)
        for finding in report.findings:
            has_findings = True
            print(f"  {finding}", flush=True)
    return int(has_findings)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what strangers send.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; default all")
    parser.add_argument("--seconds", type=float, default=60.0, help="time for each target (default 60)")
    parser.add_argument("--at-least", type=int, default=20_000, help="executions of each, however long they take")
    parser.add_argument("--executions", type=int, help="stop after so many instead")
    parser.add_argument("--seed", type=int, help="repeat an earlier run")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target '{unknown[0]}': use {', '.join(TARGETS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
