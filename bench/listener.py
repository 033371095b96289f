"""An ear for many calls: one UDP port that takes the audio of all of them and measures how late each packet comes.

``python -m bench.listener HOST`` prints its port; each line that it reads asks for the figures since the last one.
A packet is late by what it comes more than 20 ms behind the one before it, by the kernel's stamp of its arrival.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

BUFFER = 64 * 1024 * 1024
_STAMPS, _FORCE = getattr(socket, "SO_TIMESTAMPNS", 35), 33
"""SO_RCVBUFFORCE is not named by Python."""
_STAMP = struct.Struct("@qq")
_PACKET_MS, _PACKET_SAMPLES = 20.0, 160


class Ear:
    """Streams by who sends them: their last number, sample and arrival."""

    def __init__(self, host: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with suppress(OSError):  # only for who administers the machine
            self.socket.setsockopt(socket.SOL_SOCKET, _FORCE, BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self._last: dict[Any, tuple[int, int, float]] = {}
        self.late_ms: list[float] = []
        self.packets = self.lost = 0

    def hear(self) -> None:
        """Take what has come."""
        with suppress(BlockingIOError):
            for _ in range(1000):
                data, notes, _, sender = self.socket.recvmsg(2048, 64)
                seconds, nanoseconds = _STAMP.unpack(notes[0][2][: _STAMP.size])
                self._take(sender, data, seconds * 1000.0 + nanoseconds / 1e6)

    def _take(self, sender: Any, data: bytes, at_ms: float) -> None:
        number, sample = struct.unpack_from("!HI", data, 2)
        self.packets += 1
        before = self._last.get(sender)
        self._last[sender] = number, sample, at_ms
        if before is None:
            return
        gap = (number - before[0]) & 0xFFFF
        if gap == 1 and (sample - before[1]) & 0xFFFFFFFF == _PACKET_SAMPLES:
            self.late_ms.append(max(0.0, at_ms - before[2] - _PACKET_MS))
        elif 1 < gap < 1000:
            self.lost += gap - 1

    def figures(self) -> dict[str, Any]:
        """Since they were asked for last."""
        late = sorted(self.late_ms) or [0.0]
        told = {
            "streams": len(self._last),
            "packets": self.packets,
            "lost": self.lost,
            "late_p50_ms": round(late[len(late) // 2], 3),
            "late_p99_ms": round(late[len(late) * 99 // 100], 3),
            "late_p999_ms": round(late[len(late) * 999 // 1000], 3),
            "late_max_ms": round(late[-1], 3),
        }
        self.late_ms, self.packets, self.lost = [], 0, 0
        self._last.clear()
        return told


def listen(host: str) -> None:
    ear = Ear(host)
    print(ear.socket.getsockname()[1], flush=True)
    while True:
        readable, _, _ = select.select([ear.socket, sys.stdin], [], [])
        if ear.socket in readable:
            ear.hear()
        if sys.stdin in readable:
            if not sys.stdin.readline():
                return
            print(json.dumps(ear.figures()), flush=True)


if __name__ == "__main__":
    listen(sys.argv[1])
