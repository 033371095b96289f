"""Walks a configuration file: every value checked for its kind, mistakes named by line and key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from engine.core.errors import RefusedError

_T = TypeVar("_T")
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
_ROW_HEADER = re.compile(r"\s*\[\[([^\[\]]+)\]\]")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


class Walk:
    """One document being read; ``_at`` says which table and key, for the message of a mistake."""

    def __init__(self, lines: dict[str, int]) -> None:
        self._lines = lines
        """Where each table and key stands."""

    def _each(
        self, document: dict[str, Any], kind: str, read: Callable[[str, dict[str, Any]], _T]
    ) -> dict[str, _T]:
        tables = self._table(document, "", kind)
        return {name: read(name, self._table(tables, kind, name)) for name in tables}

    def _table(self, table: dict[str, Any], place: str, key: str) -> dict[str, Any]:
        with self._at(place, key):
            found: dict[str, Any] = of_type(table.get(key, {}), dict, "a table")
            return found

    def _text(self, table: dict[str, Any], place: str, key: str) -> str | None:
        return self._checked(table, place, key, lambda text: text)

    def _checked(self, table: dict[str, Any], place: str, key: str, check: Callable[[str], str]) -> str | None:
        if key not in table:
            return None
        with self._at(place, key):
            return check(of_type(table[key], str, "a text in quotes"))

    def _only(self, table: dict[str, Any], place: str, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                with self._at(place, key):
                    raise RefusedError("this is not known here", f"use some of {', '.join(known)}")

    def _rows(
        self, document: dict[str, Any], kind: str, read: Callable[[str, dict[str, Any]], _T]
    ) -> tuple[_T, ...]:
        """The tables of a list, ``[[kind]]`` each, named ``kind.1``, ``kind.2`` …"""
        with self._at("", kind):
            tables: list[Any] = of_type(document.get(kind, []), list, f"tables [[{kind}]]")
        found = []
        for count, table in enumerate(tables, 1):
            with self._at(f"{kind}.{count}", ""):
                row: dict[str, Any] = of_type(table, dict, "a table")
            found.append(read(f"{kind}.{count}", row))
        return tuple(found)

    @contextmanager
    def _at(self, place: str, key: str) -> Iterator[None]:
        """Name the place in whatever is refused inside."""
        try:
            yield
        except RefusedError as error:
            name = ".".join(filter(None, (place, key)))
            line = self._lines.get(name) or self._lines.get(place)
            where = f"line {line}, {name}" if line else name
            raise RefusedError(f"{where}: {error.what}", error.mend) from None


def lines_of_keys(text: str) -> dict[str, int]:
    """Where each table and key of the usual way of writing stands; what is written otherwise is named without."""
    lines: dict[str, int] = {}
    table = ""
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if row := _ROW_HEADER.match(line):
            name = row[1].strip()
            counts[name] = counts.get(name, 0) + 1
            table = f"{name}.{counts[name]}"
            lines.setdefault(table, number)
        elif header := _HEADER.match(line):
            table = ".".join(part.strip().strip("\"'") for part in header[1].split("."))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(".".join(filter(None, (table, key[1].strip("\"'")))), number)
    return lines


def of_type(value: Any, kind: type[_T], said: str) -> _T:
    if type(value) is not kind:
        raise RefusedError(f"{shown(value)} cannot be used", f"give {said}")
    return value


def texts(value: Any) -> tuple[str, ...]:
    items = of_type(value, list, 'a list of texts: ["..."]')
    return tuple(of_type(item, str, 'a list of texts: ["..."]') for item in items)


def word(words: type[_T], value: Any) -> _T:
    try:
        return words(value)  # type: ignore[call-arg]
    except ValueError:
        known = ", ".join(str(word.value) for word in words)  # type: ignore[attr-defined]
        raise RefusedError(f"{shown(value)} is not known", f"use one of {known}") from None


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
