"""Streams fuzzed: however bytes are cut into pieces, the same messages come out, and never more than is allowed."""

from __future__ import annotations

import time
from random import Random

from engine.sip.framing import MAX_HEAD_BYTES, Framed, Ping, StreamFramer
from engine.sip.message import MAX_MESSAGE_BYTES
from tests.fuzz import sip
from tests.fuzz.campaign import Campaign, corpus
from tests.fuzz.mutation import Mutator

LONGEST_S = 1.0
WORDS = (
    *sip.WORDS, b"\r\n\r\n", b"\r\n", b"l:", b"l: 0\r\n\r\n", b"Content-Length:", b"\r\nContent-Length: 0\r\n",
    b"Content-Length: 65535\r\n\r\n", b"Content-Length: 1000000000\r\n\r\n",
    b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc",
)  # fmt: skip


class Streams:
    """The same bytes whole, byte by byte and in pieces."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def check(self, message: bytes) -> None:
        """Raises when the pieces tell another story than the whole, or a message is larger than allowed."""
        began = time.thread_time()
        whole = _read([message])
        for item in whole:
            if isinstance(item, Framed):
                most = MAX_MESSAGE_BYTES if item.refusal is None else MAX_HEAD_BYTES
                assert len(item.data) <= most
        lost = [index for index, item in enumerate(whole) if isinstance(item, Framed) and item.refusal]
        assert lost in ([], [len(whole) - 1]), "something comes after a refusal"
        pieces = _read(self._cut(message))
        assert _told(pieces) == _told(whole), "cut into pieces it is another story"
        took = time.thread_time() - began
        assert took < LONGEST_S, f"took {took:.2f} s"

    def close(self) -> None:
        """Nothing stays behind."""

    def _cut(self, message: bytes) -> list[bytes]:
        longest = self._chance.choice((3, 50, 1400)) if len(message) < 4000 else 4000
        parts, start = [], 0
        while start < len(message):
            end = start + self._chance.randrange(1, longest + 1)
            parts.append(message[start:end])
            start = end
        return parts


def _read(parts: list[bytes]) -> list[Framed | Ping]:
    framer, items = StreamFramer(), []
    for part in parts:
        framer.feed(part)
        while (item := framer.take()) is not None:
            items.append(item)
    return items


def _told(items: list[Framed | Ping]) -> list[object]:
    """What must not depend on the pieces: a refused head may have arrived more or less wholly."""
    return [item.refusal if isinstance(item, Framed) and item.refusal else item for item in items]


def campaign() -> Campaign:
    """The campaign of streams: up to five messages in a row, mutated as a whole."""
    seeds = corpus("sip")
    mutator = Mutator(seeds, WORDS)

    def change(message: bytes, chance: Random) -> bytes:
        others = [chance.choice(seeds) for _ in range(chance.randrange(5))]
        return b"".join(mutator.mutate(item, chance, most=3) for item in (message, *others))

    return Campaign("stream", seeds, change, Streams)
