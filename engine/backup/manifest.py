"""What a backup says of itself: who wrote it, when, and the size and hash of every file in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from engine.core.errors import RefusedError

NAME = "manifest.json"
FORMAT = 1
MOST_BYTES = 64 * 2**20
_LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One file; ``path`` is relative to the state folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The last file of an archive: one that ends without it is incomplete."""

    version: str
    """The Frontdesk that wrote it."""
    schema: str
    """The database's schema."""
    made_at: str
    office: str
    files: tuple[Entry, ...]
    format: int = FORMAT

    def as_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read one; raises ``RefusedError`` when it is none or of a newer kind."""
        try:
            document = json.loads(data)
            written = int(document["format"])
            if written == FORMAT:
                files = tuple(
                    Entry(str(each["path"]), int(each["size"]), str(each["sha256"])) for each in document["files"]
                )
                version, schema, made_at, office = (
                    str(document[name]) for name in ("version", "schema", "made_at", "office")
                )
                return cls(version, schema, made_at, office, files)
        except (ValueError, KeyError, TypeError):
            raise RefusedError("its manifest cannot be read", "use another backup") from None
        raise RefusedError(f"a newer Frontdesk wrote it (format {written})", "restore it with that version")


def safe_path(name: str) -> PurePosixPath:
    """``name`` as a path that stays inside the folder it is put into; raises ``RefusedError``."""
    path = PurePosixPath(name)
    is_safe = bool(path.parts) and not path.is_absolute() and ".." not in path.parts
    if not is_safe or len(name) > _LONGEST_PATH or "\0" in name or "\\" in name:
        raise RefusedError(f"it holds a file that would lie elsewhere: {name[:100]!r}", "do not use this backup")
    return path
