"""A file that nobody else may read, put in its place whole."""

from __future__ import annotations

import os
from pathlib import Path


def write_privately(path: Path, content: bytes, *, is_lasting: bool = False) -> None:
    """Write ``path`` with mode 0600, its folder with 0700; who reads it meanwhile sees the old file or the new one.

    ``is_lasting``: on the disk before it takes its place. Raises ``OSError`` and leaves nothing behind.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            if is_lasting:
                file.flush()
                os.fsync(file.fileno())
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
