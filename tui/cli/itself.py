"""What a person types to run this very command again."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from engine.core.paths import state_folder


def own_command(folder: Path, *words_after: str) -> str:
    """``frontdesk``, or its path when it is not on the search path, with ``--state`` where it is needed."""
    words = [*_program(), *words_after]
    if folder != state_folder():
        words += ["--state", str(folder)]
    return shlex.join(words)


def _program() -> list[str]:
    used = Path(sys.argv[0])
    if used.name == "__main__.py":
        return [sys.executable, "-m", "tui.cli"]
    found = shutil.which(used.name)
    with suppress(OSError):
        if found is not None and os.path.samefile(found, used):
            return [used.name]
    return [sys.argv[0]]
