"""The log: lines on standard error, written by a thread of its own so that a full pipe stalls no call."""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue
import time
from typing import Any, TextIO

from engine.core.text import printable

_MOST_WAITING = 10_000
_JOURNAL_LEVELS = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Log:
    """A running log; ``close`` writes what waits."""

    def __init__(self, stream: TextIO, level: int) -> None:
        self._stream = stream
        waiting: queue.Queue[Any] = queue.Queue(_MOST_WAITING)
        self._handler = _Enqueue(waiting)
        writer = logging.StreamHandler(stream)
        writer.setFormatter(_JournalLine() if "JOURNAL_STREAM" in os.environ else _Line())
        self._listener = logging.handlers.QueueListener(waiting, writer)
        self._listener.start()
        root = logging.getLogger()
        self._level_before = root.level
        root.addHandler(self._handler)
        root.setLevel(level)

    def close(self) -> None:
        """Write what waits and leave the root logger as it was found."""
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level_before)
        self._listener.stop()
        self._stream.close()


def open_log(level: int = logging.INFO) -> Log:
    """Log to standard error as it is now: a console that captures ``sys.stderr`` later changes nothing."""
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    stream = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    return Log(stream, level)


class _Enqueue(logging.handlers.QueueHandler):
    """Drops a line rather than wait."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Settle the text now: what it was made of may have changed when the line is written."""
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return


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
