"""The command line: ``frontdesk``, a thin face of the desk."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Sequence

_INTERRUPTED = 130
"""What a shell says of a command that Ctrl+C ended."""
_OUTPUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """The entry point of the command ``frontdesk``."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; its exit status: 0 done, 1 refused, 2 wrong usage, 130 interrupted."""
    from engine.core.errors import RefusedError
    from tui.cli.refusals import say_refusal

    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("spell", _spell)
        sys.stdout.reconfigure(errors="spell")  # a terminal without UTF-8 shows what it can
    try:
        status = _carry_out(arguments)
        sys.stdout.flush()
    except RefusedError as error:
        say_refusal(error)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        if error.errno not in _OUTPUT_FAILS or error.filename is not None:
            raise
        _drop_output()
        say_refusal(RefusedError(f"cannot write the output: {error.strerror}", "send it somewhere else"))
        return 1
    return status


def _carry_out(arguments: Sequence[str]) -> int:
    from tui.cli.app import app

    try:
        app(args=list(arguments), prog_name="frontdesk")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Write out what a terminal cannot show: a dash as ``-``, all else as ``\\xeb``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    cannot = error.object[error.start : error.end].replace("–", "-")
    return cannot.encode("ascii", "backslashreplace").decode("ascii"), error.end


def _drop_output() -> None:
    """What is still in the buffer must not fail once more when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
