"""Recordings as WAV files: written by a thread of their own, and readable whenever the machine may stop."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from engine.media._native import Recording

RATE = 8000
PERIOD_S = 0.2
"""How often what has come is written."""
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_BYTES = 0xFFFFFFFF - 36


class WavFile:
    """A WAV file that grows, 16 bit at 8000 Hz: its header is true after every ``write``."""

    def __init__(self, path: Path, channels: int) -> None:
        """Make the file, readable by its owner alone; raises ``OSError``."""
        self._file: BinaryIO = os.fdopen(
            os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "wb", buffering=0
        )
        self._channels = channels
        self._bytes = 0
        try:
            self._write_header()
        except BaseException:
            self._file.close()
            raise

    @property
    def seconds(self) -> float:
        return self._bytes / (2 * RATE * self._channels)

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def write(self, samples: bytes) -> None:
        """Append; raises ``OSError``, and the file holds what it held."""
        if not samples or self._bytes + len(samples) > _MOST_BYTES:
            return
        self._file.seek(_HEADER.size + self._bytes)
        written = self._file.write(samples)
        if written != len(samples):
            raise OSError(28, "No space left on device")
        self._bytes += len(samples)
        self._write_header()

    def close(self) -> None:
        self._file.close()

    def _write_header(self) -> None:
        frame = 2 * self._channels
        header = _HEADER.pack(
            b"RIFF", 36 + self._bytes, b"WAVE", b"fmt ", 16, 1, self._channels, RATE, RATE * frame, frame, 16,
            b"data", self._bytes,
        )  # fmt: skip
        self._file.seek(0)
        self._file.write(header)


class _Open:
    """Under way. The lock is held while the disk is written to, so that nobody else waits for a slow one."""

    __slots__ = ("failed", "file", "lock", "recording")

    def __init__(self, recording: Recording, file: WavFile, failed: Callable[[str], None]) -> None:
        self.recording, self.file, self.failed = recording, file, failed
        self.lock = threading.Lock()

    def drain(self) -> bool:
        """Write what has come; whether it could be."""
        try:
            self.file.write(self.recording.read())
        except OSError as error:
            self.failed(error.strerror or "cannot be written")
            return False
        return True


class Writer:
    """The thread that empties recordings into their files; it runs while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Of the table alone: nobody holds it while a disk is waited for."""
        self._open: dict[int, _Open] = {}
        self._ended: dict[int, float] = {}
        """Seconds of those that ended by themselves, until they are asked for."""
        self._thread: threading.Thread | None = None

    def add(self, number: int, recording: Recording, file: WavFile, failed: Callable[[str], None]) -> None:
        """Write ``recording`` to ``file`` from now on; ``failed`` hears, on the thread, why it had to end."""
        with self._lock:
            self._open[number] = _Open(recording, file, failed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
                self._thread.start()

    def finish(self, number: int) -> float:
        """Write what is left and close the file; the seconds that it holds, 0 when it is not known (any more)."""
        with self._lock:
            known = self._open.pop(number, None)
            if known is None:
                return self._ended.pop(number, 0.0)
        with known.lock:
            if not known.file.is_closed:
                known.drain()
                known.file.close()
        return known.file.seconds

    def _run(self) -> None:
        while True:
            time.sleep(PERIOD_S)
            with self._lock:
                if not self._open:
                    self._thread = None
                    return
                numbers = list(self._open)
            for number in numbers:
                self._empty(number)

    def _empty(self, number: int) -> None:
        with self._lock:
            known = self._open.get(number)
        if known is None:
            return
        with known.lock:
            if known.file.is_closed:
                return  # finished meanwhile
            has_ended = known.recording.has_ended
            if known.drain() and not has_ended:
                return
            known.file.close()
        with self._lock:
            if self._open.pop(number, None) is not None:
                self._ended[number] = known.file.seconds
