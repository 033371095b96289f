"""The command line: ``frontdesk``, a thin face of the desk."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """The entry point of the command ``frontdesk``."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; its exit status: 0 done, 1 refused, 2 wrong usage."""
    from engine.core.errors import RefusedError
    from tui.cli.app import app
    from tui.cli.refusals import say_refusal

    try:
        app(args=list(arguments), prog_name="frontdesk")
    except RefusedError as error:
        say_refusal(error)
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
