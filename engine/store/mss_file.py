"""Site parameters from ``mss_var_param.ini``, the file in which miniSIPServer keeps its own."""

from __future__ import annotations

import logging
from pathlib import Path

from engine.core.params import PARAMS

FILE = "mss_var_param.ini"
"""In the state folder; what it says goes before our defaults, and what ``frontdesk param set`` says before it."""
KNOWN = {("sip", "gvarsipregsamedialog"): "gVarSipRegSameDialog"}
"""Section and name, in lower case, of what it may say to us; an office that moves brings many more."""
_LONGEST = 1 << 20
_log = logging.getLogger(__name__)


def read_mss_file(folder: Path) -> dict[str, str]:
    """The texts of the parameters that the file in ``folder`` sets, checked; what cannot be used is left out."""
    try:
        with (folder / FILE).open("rb") as file:
            text = file.read(_LONGEST).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        _log.warning("%s cannot be read: %s", folder / FILE, error.strerror)
        return {}
    found: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        stripped = line.partition(";")[0].partition("#")[0].strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1].strip().lower()
            continue
        key, equals, value = stripped.partition("=")
        name = KNOWN.get((section, key.strip().lower()))
        if name is not None and equals:
            found[name] = value.strip().strip('"')
    return {name: value for name, value in found.items() if _is_usable(name, value)}


def stamp_of(folder: Path) -> object:
    """Another whenever the file is."""
    try:
        found = (folder / FILE).stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_ino, found.st_size


def _is_usable(name: str, value: str) -> bool:
    try:
        PARAMS[name].read(value)
    except ValueError as error:
        _log.warning("%s in %s cannot be '%s': %s", name, FILE, value, error)
        return False
    return True
