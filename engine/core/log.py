"""The log: lines on standard error, written by a thread of its own so that a full pipe stalls no call."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from engine.core.text import printable

_MOST_WAITING = 10_000
_MOST_RECENT = 5_000
_GATHER_S = 0.05
"""How long lines wait for company: one write for many costs less than a write each."""
_JOURNAL_LEVELS = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Log(logging.Handler):
    """A running log; ``close`` writes what waits. When too many lines wait the next are dropped: nobody waits."""

    def __init__(self, stream: TextIO, level: int) -> None:
        super().__init__()
        self._stream = stream
        self._line = _JournalLine() if "JOURNAL_STREAM" in os.environ else _Line()
        self._waiting: queue.SimpleQueue[logging.LogRecord | None] = queue.SimpleQueue()
        self._is_urgent = threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()
        root = logging.getLogger()
        self._level_before = root.level
        root.addHandler(self)
        root.addHandler(RECENT)
        root.setLevel(level)

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """None is needed: the queue is safe, and a lock could make a call wait."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Settle the text now: what it was made of may have changed when the line is written."""
        if self._waiting.qsize() >= _MOST_WAITING:
            return
        try:
            record.msg, record.args = record.getMessage(), None
            if record.exc_info:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
                record.exc_info = None
        except Exception:
            self.handleError(record)
            return
        self._waiting.put(record)
        if record.levelno > logging.INFO:
            self._is_urgent.set()

    def close(self) -> None:
        """Write what waits and leave the root logger as it was found."""
        root = logging.getLogger()
        root.removeHandler(self)
        root.removeHandler(RECENT)
        root.setLevel(self._level_before)
        self._waiting.put(None)
        self._is_urgent.set()
        self._thread.join()
        with contextlib.suppress(OSError):  # a full disk: what could not be written is lost, the exit status is not
            self._stream.close()
        super().close()

    def _write(self) -> None:
        is_open = True
        while is_open:
            records = [self._waiting.get()]
            self._is_urgent.wait(_GATHER_S)
            self._is_urgent.clear()
            while not self._waiting.empty():
                records.append(self._waiting.get())
            is_open = records[-1] is not None
            lines = [self._line.format(record) for record in records if record is not None]
            try:
                self._stream.write("".join([f"{line}\n" for line in lines]))
                self._stream.flush()
            except (OSError, ValueError):
                continue  # a reader that is gone: the office goes on without its log


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log; ``number`` rises by one with each."""

    number: int
    at: datetime
    level: str
    source: str
    text: str
    """What was said, and the lines of a traceback below it."""


class RecentLines(logging.Handler):
    """The newest lines in memory, for who looks at the log from a console. Its methods are for any thread."""

    def __init__(self, most: int = _MOST_RECENT) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=most)
        self._numbers = itertools.count(1)

    def createLock(self) -> None:  # noqa: N802 - logging's own name
        """None is needed: a deque takes lines from any thread, and a lock could make a call wait."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):  # a line that cannot be told is told by the log itself
            at = datetime.fromtimestamp(record.created, UTC)
            line = LogLine(next(self._numbers), at, record.levelname, record.name, _body(record))
            self._lines.append(line)

    def newest_first(self) -> tuple[LogLine, ...]:
        return tuple(reversed(self._lines.copy()))


RECENT = RecentLines()
"""What the running log has said last; empty where none was opened."""


def open_log(level: int = logging.INFO) -> Log:
    """Log to standard error as it is now: a console that captures ``sys.stderr`` later changes nothing."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    # What no line shows need not be found out for each (the logging module's own advice on speed).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    setattr(logging, "_srcfile", None)  # noqa: B010 - documented, but in no stub
    stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    return Log(stream, level)


class _Line(logging.Formatter):
    """``2026-03-02T09:30:00.123Z WARNING engine.store: text``; what peers sent cannot break a line."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{when}.{int(record.msecs):03d}Z {record.levelname} {record.name}: {_body(record)}"


class _JournalLine(logging.Formatter):
    """journald keeps the time itself and reads the level from ``<N>`` (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        return f"<{_JOURNAL_LEVELS.get(record.levelno, 6)}>{record.name}: {_body(record)}"


def _body(record: logging.LogRecord) -> str:
    text = printable(record.getMessage())
    trace = [printable(line) for line in (record.exc_text or "").splitlines()]
    return "\n    ".join([text, *trace])
