"""Values between a service and the office as bytes, so that no object of one side is ever seen by the other.

``z`` nothing, ``T`` and ``F``, ``n1.5;`` a number, ``s3:abc`` a text, ``t2;`` a table of so many keys and values.
What ``sandbox.lua`` packs is unpacked here, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_BYTES = 65_536
"""Of one verb's arguments, or of what it gives back."""


def pack(value: Any) -> bytes:
    """``None``, texts, numbers, truths, lists and mappings of such; raises ``TypeError`` for anything else."""
    parts: list[bytes] = []
    _pack(value, parts)
    return b"".join(parts)


def unpack(data: bytes) -> Any:
    """The value again: a table whose keys are 1, 2, 3 … is a list. Raises ``ValueError`` for what is none."""
    value, end = _unpack(data, 0)
    if end != len(data):
        raise ValueError("there is more than one value")
    return value


def _pack(value: Any, parts: list[bytes]) -> None:
    if value is None:
        parts.append(b"z")
    elif value is True or value is False:
        parts.append(b"T" if value else b"F")
    elif isinstance(value, (int, float)):
        parts.append(b"n%s;" % repr(value).encode())
    elif isinstance(value, str):
        text = value.encode("utf-8", "replace")
        parts.append(b"s%d:" % len(text) + text)
    elif isinstance(value, Mapping):
        parts.append(b"t%d;" % len(value))
        for key, inner in value.items():
            _pack(key, parts)
            _pack(inner, parts)
    elif isinstance(value, (list, tuple)):
        _pack(dict(enumerate(value, 1)), parts)
    else:
        raise TypeError(f"services are given no {type(value).__name__}")


def _unpack(data: bytes, at: int) -> tuple[Any, int]:
    kind = data[at : at + 1]
    if kind == b"z":
        return None, at + 1
    if kind in (b"T", b"F"):
        return kind == b"T", at + 1
    end = data.index(b":" if kind == b"s" else b";", at)
    said = data[at + 1 : end]
    if kind == b"n":
        return _number(said), end + 1
    if kind == b"s":
        start = end + 1
        return data[start : start + int(said)].decode("utf-8", "replace"), start + int(said)
    if kind != b"t":
        raise ValueError(f"{kind!r} begins no value")
    table: dict[Any, Any] = {}
    at = end + 1
    for _ in range(int(said)):
        key, at = _unpack(data, at)
        table[key], at = _unpack(data, at)
    if table.keys() == set(range(1, len(table) + 1)):
        return [table[place] for place in range(1, len(table) + 1)], at
    return {str(key): value for key, value in table.items()}, at


def _number(text: bytes) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
