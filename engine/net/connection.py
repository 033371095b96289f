"""One TCP or TLS connection: bytes to messages, pings, and what a peer may ask of our memory and patience."""

from __future__ import annotations

import asyncio
import errno
from typing import Protocol, cast

from engine.net.admission import source_of
from engine.net.trust import CertificateDemand
from engine.sip.flow import Flow
from engine.sip.framing import PONG, Framed, StreamFramer

MESSAGE_S = 10.0
"""How long a message may take to arrive, and a new connection to bring its first."""
IDLE_S = 120.0
"""How long a connection may be silent on which nobody has logged in."""
UNREAD_S = 15.0
"""How long a peer may leave our bytes unread once the system takes no more."""
MOST_UNSENT = 256 << 10
_LINGER_S = 2.0
"""How long a peer that was refused may go on sending, so that it reads our answer instead of a reset."""
_AT_ONCE = 16
"""Messages of one connection that are handled before the loop may do something else."""


class Listener(Protocol):
    """The socket that a connection belongs to."""

    def hear(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None) -> None: ...
    def over(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """One connection of a listener, or towards a peer; ``flow`` names it."""

    __slots__ = (
        "_begun_at", "_connected_at", "_framer", "_heard_at", "_is_amid_turn", "_is_closing", "_listener", "_loop",
        "_opening", "_stuck_at", "_transport", "_vouched_until", "cut_because", "demand", "flow",
        "has_spoken", "is_ours",
        "opening", "source",
    )  # fmt: skip

    def __init__(
        self, listener: Listener, flow: Flow, loop: asyncio.AbstractEventLoop, *, is_ours: bool = False
    ) -> None:
        now = loop.time()
        self._listener = listener
        self._loop = loop
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._opening: list[bytes] | None = []
        """What is to be sent as soon as the connection stands; ``None`` from then on."""
        self._begun_at: float | None = None
        self._stuck_at: float | None = None
        self._connected_at = self._heard_at = now
        self._vouched_until = 0.0
        self._is_closing = False
        self._is_amid_turn = False
        self.flow = flow
        self.is_ours = is_ours
        """Whether we opened it."""
        self.opening: asyncio.Task[None] | None = None
        """Who opens it."""
        self.source = source_of(flow.remote_host)
        self.has_spoken = False
        """Whether a message has come or gone: nothing can wait on a connection that had none."""
        self.cut_because = ""
        self.demand: CertificateDemand | None = None
        """What the peer's certificate must be before anything is sent."""

    # -- its life -----------------------------------------------------------------------------------------------

    @property
    def has_stood(self) -> bool:
        return self._transport is not None

    @property
    def is_trusted(self) -> bool:
        """Whether we opened it, or somebody has logged in on it."""
        return self.is_ours or self._vouched_until > 0.0

    def vouch(self, seconds: float) -> None:
        """Somebody has logged in on it: it may be silent for ``seconds``."""
        self._vouched_until = max(self._vouched_until, self._loop.time() + seconds)

    def overdue(self, now: float) -> str | None:
        """Why this connection has to end, if it has."""
        if self._opening is not None:
            return None  # whoever opens it has a limit of its own
        if self._is_closing:
            return "was refused" if now - self._heard_at > _LINGER_S else None
        if self._begun_at is not None and now - self._begun_at > MESSAGE_S:
            return f"took more than {MESSAGE_S:g} s to send a message"
        if self._stuck_at is not None and now - self._stuck_at > UNREAD_S:
            return f"has not read for {UNREAD_S:g} s"
        if not self.has_spoken and now - self._connected_at > MESSAGE_S:
            return f"sent no message in {MESSAGE_S:g} s"
        if now - self._heard_at > IDLE_S and now > self._vouched_until:
            return f"was silent for {IDLE_S:g} s"
        return None

    def cut(self, why: str) -> None:
        """End it at once; what was not sent is lost."""
        self.cut_because = self.cut_because or why
        if self._transport is not None:
            self._transport.abort()
        elif self.opening is not None:
            self.opening.cancel()
        self._end()

    def close(self) -> None:
        """End it once what was said is sent."""
        if self._transport is not None:
            self._transport.close()
        elif self.opening is not None:
            self.opening.cancel()

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, its TLS handshake included: send what has waited."""
        self._transport = stream = cast("asyncio.Transport", transport)
        if self._listener is _NOBODY:
            stream.abort()  # it was cut meanwhile
            return
        if self.demand is not None and (flaw := self.demand.flaw_of(stream)):
            self._transport = None  # it never stood
            stream.abort()
            self.cut(flaw)
            return
        stream.set_write_buffer_limits(high=64 << 10)
        self._connected_at = self._heard_at = self._loop.time()
        waiting, self._opening = self._opening, None
        for data in waiting or ():
            stream.write(data)

    def data_received(self, data: bytes) -> None:
        if self._is_closing:
            return
        self._heard_at = self._loop.time()
        self._framer.feed(data)
        if not self._is_amid_turn:
            self._take_messages()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        """A peer that does not read is not read from either."""
        self._stuck_at = self._loop.time()
        if self._transport is not None and not self._is_amid_turn:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._stuck_at = None
        if self._transport is not None and not self._is_amid_turn and not self._transport.is_closing():
            self._transport.resume_reading()

    # -- messages -----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send one message, now or once the connection stands; raises ``OSError`` when the peer reads none."""
        self.has_spoken = True
        transport = self._transport
        if self._opening is not None:
            if sum(map(len, self._opening)) + len(data) > MOST_UNSENT:
                raise OSError(errno.ENOBUFS, "too much waits for the connection")
            self._opening.append(data)
        elif transport is None or transport.is_closing():
            raise OSError(errno.EPIPE, "the connection is closed")
        elif transport.get_write_buffer_size() + len(data) > MOST_UNSENT:
            self.cut("does not read")
            raise OSError(errno.ENOBUFS, "the peer does not read")
        else:
            transport.write(data)

    def _take_messages(self) -> None:
        """Hand over what has arrived, a few at a time: one that sends much delays nobody else."""
        transport = self._transport
        for _ in range(_AT_ONCE):
            item = self._framer.take()
            if item is None or self._is_closing or transport is None or transport.is_closing():
                break
            if isinstance(item, Framed):
                self.has_spoken = True
                self._begun_at = None
                self._listener.hear(item.data, self.flow, item.refusal)
                if item.refusal is not None:
                    self._linger()
            else:
                transport.write(PONG)
        else:
            self._is_amid_turn = True
            if transport is not None:
                transport.pause_reading()
            self._loop.call_soon(self._next_turn)
            return
        self._begun_at = (self._begun_at or self._heard_at) if self._framer.is_amid_message else None

    def _next_turn(self) -> None:
        self._is_amid_turn = False
        self._take_messages()
        transport = self._transport
        if self._is_amid_turn or transport is None or transport.is_closing() or self._stuck_at is not None:
            return
        transport.resume_reading()

    def _linger(self) -> None:
        """Nothing more is taken; the peer still gets our answer (RFC 3261 section 18.3)."""
        self._is_closing = True
        transport = self._transport
        if transport is None:
            return
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def _end(self) -> None:
        listener, self._listener = self._listener, _NOBODY
        self._opening = None
        listener.over(self)


class _Nobody:
    """Whom an ended connection belongs to."""

    def hear(self, data: bytes, flow: Flow, refusal: tuple[int, str] | None) -> None: ...
    def over(self, connection: Connection) -> None: ...


_NOBODY = _Nobody()
