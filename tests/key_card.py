"""Puts the key tables into the manual, from the console's own key map: ``python -m tests.key_card docs/manual``."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from engine.store.configuration import Role
from tui.keys import CALL_DETAIL, EVERYWHERE, LISTS, LIVE_LIST, PEOPLE_LIST, SCREENS, SWITCHBOARD, WAITING_LIST, Key
from tui.texts import Tongue, _, speak

MANUAL = Path(__file__).parents[1] / "docs" / "manual"
TONGUES = {"en": "en", "zh": "zh_CN"}
"""The manual's folders, and the console's languages."""
CARDS: dict[str, tuple[tuple[Key, ...], ...]] = {
    "switchboard": (SWITCHBOARD, WAITING_LIST, PEOPLE_LIST, LIVE_LIST, LISTS, SCREENS, EVERYWHERE),
    "call": (CALL_DETAIL,),
}
LEFT_OUT = {"call": {"tab", "shift+tab", "question_mark"}}
"""Keys of a card that an earlier one tells already."""
HEADS = {"en": ("key", "on the screen", "what it does"), "zh": ("键", "屏幕上", "作用")}
ROLES = {"en": " Role {role} or above.", "zh": "需要角色 {role} 或更高。"}
USUAL = (Role.VIEWER, Role.RECEPTIONIST)
FACES = {"−": "-", "⇧Tab": "Shift+Tab"}


def explained() -> dict[str, list[dict[str, list[str] | str]]]:
    """``keys.toml``: the rows of each card, with the keys' names and what they do in both languages."""
    return tomllib.loads((MANUAL / "keys.toml").read_text("utf-8"))


def keys_of(card: str) -> dict[str, list[Key]]:
    """The console's keys of a card by their names; one name may mean two things in two panels."""
    found: dict[str, list[Key]] = {}
    for key in (key for group in CARDS[card] for key in group):
        if key.key not in LEFT_OUT.get(card, ()):
            found.setdefault(key.key, []).append(key)
    return found


def table(card: str, language: str) -> str:
    """One card as a Markdown table.

    Raises ``KeyError`` for a key that the console does not have.
    """
    speak(Tongue(TONGUES[language]))
    keys = keys_of(card)
    rows = ["| " + " | ".join(HEADS[language]) + " |", "|---|---|---|"]
    for row in explained()[card]:
        meant = [key for name in row["keys"] for key in keys[name]]
        faces = " ".join(_once(f"`{_face(key)}`" for key in meant))
        words = " · ".join(_once(_(key.says) for key in meant))
        needs = max((key.needs for key in meant), key=list(Role).index)
        does = str(row[language]) + ("" if needs in USUAL else ROLES[language].format(role=needs))
        rows.append(f"| {faces} | {words} | {does} |")
    speak(Tongue())
    return "\n".join(rows)


def page_with_tables(text: str, language: str) -> str:
    """A page with its tables made anew between ``<!-- keys: CARD -->`` and ``<!-- end -->``."""
    for card in CARDS:
        start, end = f"<!-- keys: {card} -->\n", "<!-- end -->"
        before, found, rest = text.partition(start)
        if found:
            text = before + start + table(card, language) + "\n" + end + rest.partition(end)[2]
    return text


def _face(key: Key) -> str:
    return FACES.get(key.face, key.face.replace("^", "Ctrl+"))


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def main() -> None:
    """Write the tables into every page that has a place for them."""
    for language in TONGUES:
        for path in sorted((Path(sys.argv[1]) / language).glob("*.md")):
            path.write_text(page_with_tables(path.read_text("utf-8"), language), "utf-8")


if __name__ == "__main__":
    main()
