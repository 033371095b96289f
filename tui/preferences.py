"""What each operator chose for the console: language and colours, kept in the state folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tui.keys import all_keys, why_not
from tui.texts import LANGUAGES
from tui.theme import THEMES

log = logging.getLogger(__name__)

FILE = "console-preferences.json"
_MOST_LOGINS = 1000


@dataclass(frozen=True, slots=True)
class Preference:
    """``None`` leaves the choice to the terminal."""

    language: str | None = None
    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys that were moved, by ``Key.id``."""


class Preferences:
    """Every operator's choices; an unreadable file is as good as none, for it holds nothing that matters."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / FILE if folder else None
        self._known = _read(self._path) if self._path else {}

    def of(self, login: str) -> Preference:
        return self._known.get(login, Preference())

    def choose(
        self,
        login: str,
        *,
        language: str | None = None,
        theme: str | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """Remember what was given; the rest stays as it is."""
        before = self.of(login)
        self._known[login] = replace(
            before,
            language=language or before.language,
            theme=theme or before.theme,
            keys=before.keys if keys is None else dict(keys),
        )
        while len(self._known) > _MOST_LOGINS:
            del self._known[next(iter(self._known))]
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            fresh.write_text(json.dumps({login: asdict(each) for login, each in self._known.items()}), "utf-8")
            fresh.rename(self._path)
        except OSError as error:
            log.warning("console preferences are not kept: %s", error)


def _read(path: Path) -> dict[str, Preference]:
    with suppress(OSError, ValueError, AttributeError, TypeError):
        themes = {theme.name for theme in THEMES}
        return {
            login: Preference(
                language=each.get("language") if each.get("language") in LANGUAGES else None,
                theme=each.get("theme") if each.get("theme") in themes else None,
                keys=_sound_keys(each.get("keys")),
            )
            for login, each in json.loads(path.read_text("utf-8")).items()
        }
    return {}


def _sound_keys(kept: object) -> dict[str, str]:
    """Those moved keys that this release has, and that still do not collide."""
    if not isinstance(kept, dict):
        return {}
    known = {key.id: key for key in all_keys()}
    sound: dict[str, str] = {}
    for name, chosen in kept.items():
        if name in known and isinstance(chosen, str) and why_not(known[name], chosen, sound) is None:
            sound[name] = chosen
    return sound
