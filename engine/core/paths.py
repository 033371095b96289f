"""Where things lie: the state folder with its files, and the shipped lua/ and data/ folders."""

from __future__ import annotations

import os
from pathlib import Path

import engine

SHIPPED = Path(engine.__file__).resolve().parent.parent
LUA = SHIPPED / "lua"
DATA = SHIPPED / "data"

DATABASE = "office.db"
LOCK = "engine.lock"
SOCKET = "control.sock"
LOG = "frontdesk.log"
FIRST_RUN = "first-run.txt"


def state_folder(chosen: str | Path | None = None) -> Path:
    """The absolute state folder: ``chosen``, else ``$FRONTDESK_STATE``, else systemd's, else the XDG state folder.

    systemd names the folder of ``StateDirectory=frontdesk`` (``/var/lib/frontdesk``) in ``$STATE_DIRECTORY``.
    The folder need not exist.
    """
    named = chosen or os.environ.get("FRONTDESK_STATE") or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path  # costs 10 ms that most runs need not pay

    return user_state_path("frontdesk", appauthor=False)
