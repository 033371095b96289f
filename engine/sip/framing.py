"""Messages out of a stream of bytes (RFC 3261 sections 7.5 and 18.3, RFC 5626 section 4.4.1)."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.sip.message import MAX_MESSAGE_BYTES

MAX_HEAD_BYTES = 32768
"""Start line and header fields of one message."""
PONG = b"\r\n"
"""The answer to a keep-alive ping."""


class Framed(NamedTuple):
    """One whole message, or with ``refusal`` (status and reason) the head of one that ends the stream."""

    data: bytes
    refusal: tuple[int, str] | None = None


class Ping(NamedTuple):
    """A double CRLF between messages: answer it with ``PONG``."""


class StreamFramer:
    """Takes bytes as they arrive and gives messages; after a refusal there is no way to find the next one."""

    __slots__ = ("_buffer", "_is_lost", "_searched", "_wanted")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        """Bytes in which the end of the head was looked for in vain."""
        self._wanted = 0
        """Bytes of the message whose head has been read; 0 before that."""
        self._is_lost = False

    @property
    def is_amid_message(self) -> bool:
        """Whether a message has begun that has not ended."""
        return len(self._buffer) > 3 or bool(self._buffer.strip(b"\r\n"))

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        if not self._is_lost:
            self._buffer += data

    def take(self) -> Framed | Ping | None:
        """The next message or ping; ``None`` until more has arrived."""
        if not self._wanted:
            between = self._skip_line_ends()
            if between is not None or _PING.startswith(self._buffer):
                return between
            if self._buffer[0] not in _TOKEN_BYTES:
                return self._give_up(RemoteError(400, "No SIP Message"))
            try:
                self._read_head()
            except RemoteError as error:
                return self._give_up(error)
        if not self._wanted or len(self._buffer) < self._wanted:
            return None
        message = bytes(self._buffer[: self._wanted])
        del self._buffer[: self._wanted]
        self._searched = self._wanted = 0
        return Framed(message)

    def _skip_line_ends(self) -> Ping | None:
        """A single CRLF between messages means nothing, two are a ping (RFC 5626 section 3.5.1)."""
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):
            if buffer.startswith(_PING):
                del buffer[: len(_PING)]
                return Ping()
            if _PING.startswith(buffer):
                break  # a second one may follow
            del buffer[:2]
        return None

    def _read_head(self) -> None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            if len(buffer) > MAX_HEAD_BYTES:
                raise RemoteError(513, "Header Too Large")
            self._searched = max(0, len(buffer) - 3)
            return
        if end > MAX_HEAD_BYTES:
            raise RemoteError(513, "Header Too Large")
        self._searched = end
        wanted = end + 4 + _body_length(bytes(buffer[: end + 2]))
        if wanted > MAX_MESSAGE_BYTES:
            raise RemoteError(513, "Message Too Large")
        self._wanted = wanted

    def _give_up(self, error: RemoteError) -> Framed:
        """What has arrived of a message whose end cannot be told."""
        head = bytes(self._buffer[:MAX_HEAD_BYTES])
        if self._searched and head[self._searched : self._searched + 4] == b"\r\n\r\n":
            head = head[: self._searched + 4]
        self._buffer.clear()
        self._is_lost = True
        return Framed(head, (error.status, error.reason))


_PING = b"\r\n\r\n"
_TOKEN_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~")
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)


def _body_length(head: bytes) -> int:
    """What Content-Length says; over a stream it must be there once, or say the same each time (section 18.3)."""
    values = {value.strip() for value in _LENGTH.findall(head)}
    if not values:
        raise RemoteError(400, "Missing Content-Length")
    value = values.pop()
    if values or not value.isdigit() or len(value) > 9:
        raise RemoteError(400, "Bad Content-Length")
    return int(value)
