"""Where things lie: the state folder with its files, and the shipped lua/ and data/ folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import engine
from engine.core.errors import RefusedError, StateFolderError

SHIPPED = Path(engine.__file__).resolve().parent.parent
LUA = SHIPPED / "lua"
DATA = SHIPPED / "data"

DATABASE = "office.db"
LOCK = "engine.lock"
SOCKET = "control.sock"
LOG = "frontdesk.log"
FIRST_RUN = "first-run.txt"
TLS_CERTIFICATE = "tls/cert.pem"
TLS_KEY = "tls/key.pem"
BACKUPS = "backups"
"""The folder of the backups that are made from the console; no backup holds it."""
UNFINISHED = "restore.unfinished"
"""Marks a folder whose restore was cut short: nothing may start on it."""


def state_folder(chosen: str | Path | None = None) -> Path:
    """The absolute state folder: ``chosen``, else ``$FRONTDESK_STATE``, else systemd's, else the XDG state folder.

    systemd names the folder of ``StateDirectory=frontdesk`` (``/var/lib/frontdesk``) in ``$STATE_DIRECTORY``.
    The folder need not exist. Raises ``RefusedError`` when an empty one is chosen.
    """
    if chosen == "":
        raise RefusedError("the state folder has no name", "use --state DIR, or leave --state out")
    named = chosen or os.environ.get("FRONTDESK_STATE") or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path  # costs 10 ms that most runs need not pay

    return user_state_path("frontdesk", appauthor=False)


def demand_usable(folder: Path) -> None:
    """Raise ``StateFolderError`` unless ``folder`` is missing still, or a folder that we may read and write."""
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        is_folder = False
    except OSError as error:
        raise StateFolderError(
            f"cannot use {folder}: {error.strerror}", "check its owner and permissions, or use --state"
        ) from None
    if not is_folder:
        raise StateFolderError(f"{folder} is not a folder", "choose another with --state")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StateFolderError(
            f"the state folder {folder} cannot be written", "check its owner and permissions, or use --state"
        )
