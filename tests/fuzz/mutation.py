"""Mutations of line-based protocols: what an attacker, a broken phone or a bad line does to a message."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

MAX_BYTES = 65_000

NUMBERS = (
    b"0", b"1", b"-1", b"00", b"255", b"256", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967296",
    b"18446744073709551616", b"1" * 400, b"1.5", b"1e9", b"0x10", b"\xd9\xa3", b"",
)  # fmt: skip
ODD_BYTES = (
    b"\0", b"\r", b"\n", b"\r\n", b"\r\n ", b"\r\n\r\n", b"\t", b" ", b"\x7f", b"\xff", b"\xc3\x28",
    b"\xed\xa0\x80",
    b'"', b"\\", b"<", b">", b";", b",", b":", b"=", b"?", b"@", b"%", b"%00", b"%zz", b"[", b"]", b"&", b"/", b"*",
    "é".encode(), "ü".encode() * 3, "\u2028".encode(),
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_PART = re.compile(rb"[;,:=<>@ ]")


_Deed = Callable[[bytes, Random], bytes]


class Mutator:
    """Changes messages; ``seeds`` lend their lines, ``words`` are values that the protocol gives a meaning to."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
        self._seeds = seeds
        self._words = (*words, *ODD_BYTES, *NUMBERS)
        likely: tuple[_Deed, ...] = (self._insert_word, self._replace_part, self._splice)
        self._deeds: tuple[_Deed, ...] = (*likely, *likely, *_DEEDS)

    def mutate(self, message: bytes, chance: Random, most: int = 6) -> bytes:
        """``message`` after none to ``most`` mutations; few are likelier than many."""
        for _ in range(min(chance.randrange(most + 1), chance.randrange(most + 1))):
            message = chance.choice(self._deeds)(message, chance)
        return message[:MAX_BYTES]

    def _insert_word(self, message: bytes, chance: Random) -> bytes:
        at = chance.randrange(len(message) + 1)
        return message[:at] + chance.choice(self._words) + message[at:]

    def _replace_part(self, message: bytes, chance: Random) -> bytes:
        """Another word between two separators of one line."""
        lines = message.split(b"\r\n")
        index = chance.randrange(len(lines))
        cuts = [0, *(match.end() for match in _PART.finditer(lines[index])), len(lines[index])]
        start = chance.randrange(len(cuts) - 1)
        line = lines[index]
        lines[index] = line[: cuts[start]] + chance.choice(self._words) + line[cuts[start + 1] :]
        return b"\r\n".join(lines)

    def _splice(self, message: bytes, chance: Random) -> bytes:
        """A line of another message."""
        lines, others = message.split(b"\r\n"), chance.choice(self._seeds).split(b"\r\n")
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(others))
        return b"\r\n".join(lines)


def _replace_number(message: bytes, chance: Random) -> bytes:
    found = list(_NUMBER.finditer(message))
    if not found:
        return message
    number = chance.choice(found)
    return message[: number.start()] + chance.choice(NUMBERS) + message[number.end() :]


def _blow_up(message: bytes, chance: Random) -> bytes:
    """A short part, many times."""
    start, end = _span(message, chance, 40)
    times = 1 << chance.randrange(1, 11)
    return message[:start] + message[start:end] * times + message[end:]


def _span(message: bytes, chance: Random, longest: int) -> tuple[int, int]:
    start = chance.randrange(len(message) + 1)
    return start, min(len(message), start + 1 + chance.randrange(longest))


def _drop_line(message: bytes, chance: Random) -> bytes:
    lines = message.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def _double_line(message: bytes, chance: Random) -> bytes:
    lines = message.split(b"\r\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"\r\n".join(lines)


def _swap_lines(message: bytes, chance: Random) -> bytes:
    lines = message.split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def _drop_bytes(message: bytes, chance: Random) -> bytes:
    start, end = _span(message, chance, 30)
    return message[:start] + message[end:]


def _double_bytes(message: bytes, chance: Random) -> bytes:
    start, end = _span(message, chance, 200)
    return message[:end] + message[start:end] + message[end:]


def _flip_byte(message: bytes, chance: Random) -> bytes:
    if not message:
        return message
    at = chance.randrange(len(message))
    return message[:at] + bytes([chance.randrange(256)]) + message[at + 1 :]


def _truncate(message: bytes, chance: Random) -> bytes:
    return message[: chance.randrange(len(message) + 1)]


def _bend_line_end(message: bytes, chance: Random) -> bytes:
    """A line ended by something else, or going on in the next one."""
    lines = message.split(b"\r\n")
    if len(lines) < 2:
        return message
    at = chance.randrange(1, len(lines))
    joined = lines[at - 1] + chance.choice((b"\n", b"\r", b"\r\n ", b"\r\n\t", b"\n\r", b"")) + lines[at]
    return b"\r\n".join([*lines[: at - 1], joined, *lines[at + 1 :]])


_DEEDS: tuple[_Deed, ...] = (
    _replace_number, _blow_up, _drop_line, _double_line, _swap_lines, _drop_bytes, _double_bytes, _flip_byte,
    _truncate, _bend_line_end,
)  # fmt: skip
