"""What a list of the console shows and how it is typed: the part that all of them share."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.core.errors import RefusedError
from engine.desk.commands import Command
from engine.desk.dialling import Checked, Flaw
from engine.store.configuration import Role
from tui.widgets.columns import Column

TextLine = tuple[tuple[str, str], ...]
"""Pieces of one line of a panel, each with its ink."""
Values = Mapping[str, str | bool]
"""A form's fields as typed."""
Ask = Callable[[Command], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; a tick has no hint, a secret is not shown."""

    name: str
    label: str
    hint: str = ""
    is_tick: bool = False
    is_secret: bool = False


class Kind:
    """What one list shows, how it is typed, and what the desk is asked for it."""

    title = ""
    new_title = ""
    empty = ""
    columns: tuple[Column, ...] = ()
    fields: tuple[Field, ...] = ()
    listing: type[Command]
    has_detail = False
    remove_text = ""
    """What the question before a removal says beside the name."""
    needs: Role = Role.ADMIN
    """The role that may add, change and remove."""
    fixed = frozenset({"name"})
    """Fields that tell an item from the others: they stay once it exists."""
    is_fixed = False
    """Whether nothing is added or changed here: the list is read, or is taken away from."""

    def key(self, item: Any) -> str:
        """What tells this item from the others."""
        raise NotImplementedError

    def name(self, item: Any) -> str:
        """What the item is called in titles and questions."""
        raise NotImplementedError

    def cells(self, item: Any) -> tuple[str, ...]:
        raise NotImplementedError

    def values(self, item: Any) -> dict[str, str | bool]:
        """The form filled with what the item is now; of ``None`` an empty form."""
        raise NotImplementedError

    async def check(self, ask: Ask, values: Values, item: Any) -> Checked:
        """What is wrong with what was typed."""
        raise NotImplementedError

    def save(self, values: Values, item: Any) -> Command:
        """What makes it so; ``item`` is what is changed, ``None`` adds one. Raises ``RefusedError``."""
        raise NotImplementedError

    def remove(self, item: Any) -> Command:
        raise NotImplementedError

    def restore(self, item: Any) -> Command | None:
        """What brings back an item that was removed; ``None`` when nothing can."""
        return self.save(self.values(item), None)

    def listed(self) -> Command:
        """What asks for the items."""
        return self.listing()

    def inks(self, item: Any) -> Mapping[int, str]:
        """The inks of cells that are not plain, by their place."""
        return {}

    def detail(self, item: Any) -> Sequence[TextLine]:
        """What stands in the panel below the list about the item under the cursor."""
        return ()


class Past(Kind):
    """What was, as a list; one object a screen, which says what is asked for."""

    is_fixed = True
    has_detail = True

    def __init__(self, asked: Any) -> None:
        self.asked = asked
        """The command that lists, with a ``limit``."""

    def listed(self) -> Command:
        command: Command = self.asked
        return command


def text_of(values: Values, name: str) -> str:
    return str(values[name]).strip()


def list_of(values: Values, name: str) -> tuple[str, ...] | None:
    return tuple(word for word in re.split(r"[,\s]+", text_of(values, name)) if word) or None


def whole_of(values: Values, name: str) -> int:
    text = text_of(values, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RefusedError(f"'{text}' is no whole number", "use digits alone")
    return int(text)


def checked(*checks: tuple[str, Callable[[], object]]) -> Checked:
    return Checked(tuple(flaw for name, check in checks if (flaw := flaw_of(name, check)) is not None))


def flaw_of(name: str, check: Callable[[], object]) -> Flaw | None:
    try:
        check()
    except RefusedError as error:
        return Flaw(name, error.what, error.mend)
    return None


def word_of(values: Values, name: str, words: type[StrEnum]) -> Any:
    """The word as one of ``words``; raises ``RefusedError``."""
    text = text_of(values, name).casefold()
    try:
        return words(text)
    except ValueError:
        raise RefusedError(f"'{text}' is not known", f"use one of {', '.join(words)}") from None
