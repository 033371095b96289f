"""Offer and answer: one leg's media negotiation between us and one peer (RFC 3264)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, IntEnum
from typing import NamedTuple

from engine.core.errors import LocalError, RemoteError
from engine.sip.codecs import (
    DTMF,
    agreed,
    aliases,
    as_we_answer,
    described,
    encodings,
    has_noise,
    offered_formats,
    preferred,
)
from engine.sip.sdp import Attributes, Direction, Format, MediaLine, Origin, SessionDescription, is_unspecified
from engine.sip.uri import canonical_ip


class Warn(IntEnum):
    """Codes of the Warning field that say why a description was refused (RFC 3261 section 20.43)."""

    NETWORK_ADDRESS = 301
    MEDIA_TYPE = 304
    MEDIA_FORMAT = 305
    MULTICAST = 330


class RtpAddress(NamedTuple):
    """Where one side receives RTP and RTCP; ``host`` is an IP literal."""

    host: str
    port: int
    rtcp_port: int


class Offered(NamedTuple):
    """What a peer's offer says of its audio."""

    codecs: tuple[str, ...]
    """Encodings in the peer's order of preference, each once, known to us or not; no digits, no comfort noise."""
    flow: Direction
    """What the peer would let us do: seen from us."""
    remote: RtpAddress | None
    """``None`` when it put us on hold with 0.0.0.0."""
    held: bool
    """The peer does not want to hear us."""
    packet_ms: int
    is_repeated: bool = False
    """The peer's description is the one already settled: a session refresh."""
    image: Attributes | None = None
    """What a fax machine says of T.38, which it wants instead of audio; ``None`` for audio."""
    knows_noise: bool = False
    """It may send comfort noise (RFC 3389) while nobody speaks."""


class Settled(NamedTuple):
    """What an offer and its answer agreed on."""

    remote: RtpAddress | None
    """``None`` when the peer holds us with 0.0.0.0: nothing may be sent."""
    formats: tuple[Format, ...]
    """In order of preference, ``telephone-event`` last. ``payload_type`` is the number on the wire."""
    flow: Direction
    """Seen from us."""
    packet_ms: int
    held: bool
    """The peer put us on hold (sendonly, inactive or 0.0.0.0)."""
    image: Attributes | None = None
    """What the peer says of T.38 when that is spoken instead of audio; there are no formats then."""

    @property
    def codecs(self) -> tuple[str, ...]:
        """The names of the agreed audio encodings."""
        return encodings(self.formats)

    @property
    def codec(self) -> str:
        """The first of them: what will be spoken."""
        return self.formats[0].encoding if self.image is None else "T38"


def read_offer(body: bytes) -> Offered:
    """What an offer says of its audio, before there is anything of ours; raises ``RemoteError`` 400 or 488."""
    return _Peer.read(SessionDescription.parse(body), None).offered


class MediaNegotiation:
    """Our side of one leg: makes and takes offers and answers, and remembers what both sides settled.

    At most one offer is open, ours or the peer's; who yields in a glare is for the session to decide. A failed
    exchange is undone by ``roll_back``. RTP/AVP audio is agreed on or, where no audio is offered, T.38 over UDPTL
    (ITU-T T.38 annex D); every other line is refused with port 0.
    """

    __slots__ = (
        "_answering", "_before", "_kept", "_last_sent", "_lines", "_numbers", "_offer", "_session_id", "_spoken",
        "_state", "_theirs", "_version", "_wanted", "local", "settled",
    )  # fmt: skip

    def __init__(self, session_id: int, local: RtpAddress) -> None:
        """``session_id``: random, below 2**62, unique to this leg; ``local``: what the gateway listens on."""
        self.local = local
        """May change between exchanges; the next description then names the new address."""
        self.settled: Settled | None = None
        self._session_id = session_id
        self._version = session_id
        self._state = _State.IDLE
        self._before = _State.IDLE
        """The state that the peer's open offer came upon: an early dialog may go on with another answer to ours."""
        self._last_sent: SessionDescription | None = None
        self._lines: tuple[MediaLine, ...] = ()
        """The media lines of the last settled exchange: their places never change (RFC 3264 section 8)."""
        self._numbers: dict[tuple[str, int], int] = {}
        self._offer: tuple[Format, ...] = ()
        """The formats of our last offer."""
        self._answering: _Peer | None = None
        self._theirs: SessionDescription | None = None
        """The peer's description in the last settled exchange."""
        self._spoken: Offered | None = None
        """What that says."""
        self._wanted: tuple[tuple[str, ...], Direction] | None = None
        """Codecs and flow of our last description."""
        self._kept: tuple[tuple[str, ...], Direction] | None = None
        """The same in the last settled exchange."""

    @property
    def is_open(self) -> bool:
        """Whether an offer, ours or the peer's, waits for its answer."""
        return self._state in (_State.OFFERED, _State.ANSWERING)

    @property
    def peer_codecs(self) -> tuple[str, ...]:
        """What the peer's open offer names, else its last description; empty before any."""
        offered = self._peer_said
        return offered.codecs if offered is not None else ()

    @property
    def peer_knows_noise(self) -> bool:
        """Whether the peer's open offer, else its last description, names comfort noise."""
        offered = self._peer_said
        return offered is not None and offered.knows_noise

    @property
    def _peer_said(self) -> Offered | None:
        if self._state is _State.ANSWERING and self._answering is not None:
            return self._answering.offered
        return self._spoken

    @property
    def is_outdated(self) -> bool:
        """Whether the peer was last told another address than ``local``."""
        return self._last_sent is not None and self._last_sent.host != self.local.host

    def make_offer(self, codecs: Sequence[str], flow: Direction = Direction.SENDRECV, noise: bool = False) -> bytes:
        """An offer of ``codecs`` (names of ``CODECS``, best first); raises ``LocalError`` while one is open.

        With ``noise`` the peer may send comfort noise while nobody speaks; what was agreed on stays so.
        """
        self._must_be_closed()
        stands = self.settled is not None and has_noise(self.settled.formats)
        self._offer = offered_formats(codecs, self._numbers, noise or stands)
        audio = self._audio_line(self._offer, flow, packet_ms=20)
        description = self._describe(self._placed(audio))
        self._wanted = tuple(codecs), flow
        self._state = _State.OFFERED
        return description

    def make_image_offer(self, image: Attributes) -> bytes:
        """An offer of T.38 as another machine wants it, in the place of the audio."""
        self._must_be_closed()
        self._offer = ()
        description = self._describe(self._placed(self._image_line(image)))
        self._wanted = (), Direction.SENDRECV
        self._state = _State.OFFERED
        return description

    def repeat_offer(self) -> bytes:
        """What we settled last, offered again, version and all: a session refresh."""
        self._must_be_closed()
        if self._kept is None:
            raise LocalError("there is no settled description to repeat")
        self._wanted = self._kept
        self._offer = next(line.rtp_formats() for line in self._lines if line.port)
        self._state = _State.OFFERED
        return self._describe(self._lines)

    def take_answer(self, body: bytes) -> Settled:
        """The peer's answer to our offer. A later one (the 200 after a 183, another branch) replaces it.

        Raises ``RemoteError`` 400 or 488 for an answer that agrees to nothing of ours; the offer stays open.
        """
        if self._state not in (_State.OFFERED, _State.ANSWERED):
            raise LocalError("no offer of ours waits for an answer")
        assert self._last_sent is not None
        assert self._wanted is not None
        ours = next(index for index, line in enumerate(self._last_sent.media) if line.port)
        peer = _Peer.read(SessionDescription.parse(body), ours)
        if self._last_sent.media[ours].kind == "image":
            return self._take_image_answer(peer)
        formats = agreed(peer.formats, self._offer)
        if not _has_audio(formats):
            raise _no_common_codec(peer.formats, self._wanted[0])
        wanted = self._wanted[1]
        self._remember(peer.formats)
        others = tuple(form for form in aliases(self._offer, formats) if form.payload_type not in peer.numbers)
        settled = peer.settle((*formats, *others), wanted)
        # Where we ourselves asked not to send, a peer that does not listen does what we wanted.
        if settled.held and not wanted.sends:
            settled = settled._replace(held=False)
        self._settle(settled, self._last_sent.media, peer)
        self._state = _State.ANSWERED
        return settled

    def _take_image_answer(self, peer: _Peer) -> Settled:
        if peer.offered.image is None:
            raise RemoteError(488, "No T.38 in the answer", Warn.MEDIA_TYPE)
        assert self._last_sent is not None
        settled = peer.settle((), Direction.SENDRECV)
        self._settle(settled, self._last_sent.media, peer)
        self._state = _State.ANSWERED
        return settled

    def take_offer(self, body: bytes) -> Offered:
        """The peer's offer; answer it with ``make_answer`` or undo it with ``roll_back``.

        Raises ``RemoteError`` 400 or 488 (nothing is open then), ``LocalError`` while another offer is open.
        """
        self._must_be_closed()
        current = next((index for index, line in enumerate(self._lines) if line.port), None)
        peer = _Peer.read(SessionDescription.parse(body), current)
        self._answering = peer
        self._before, self._state = self._state, _State.ANSWERING
        return peer.offered._replace(is_repeated=True) if peer.description == self._theirs else peer.offered

    def make_answer(
        self, codecs_allowed: Sequence[str], flow: Direction = Direction.SENDRECV
    ) -> tuple[bytes, Settled]:
        """Our answer to the offer taken: its codecs that ``codecs_allowed`` names, in our order, at its numbers.

        ``flow`` is what we would like; the answer never allows more than the offer. Raises ``RemoteError`` 488
        when no codec is common; the offer stays open.
        """
        if self._state is not _State.ANSWERING or self._answering is None:
            raise LocalError("no offer of the peer waits for an answer")
        peer = self._answering
        formats = agreed(preferred(peer.formats, tuple(codecs_allowed)), peer.formats)
        if not _has_audio(formats):
            raise _no_common_codec(peer.formats, codecs_allowed)
        settled = peer.settle(formats, flow)
        audio = self._audio_line(as_we_answer(formats), settled.flow, peer.offered.packet_ms)
        lines = tuple(
            [
                audio if index == peer.line_index else line.refused()
                for index, line in enumerate(peer.description.media)
            ]
        )
        self._wanted = tuple(codecs_allowed), flow
        body = self._describe(lines)
        self._numbers |= {(form.encoding, form.clock_rate): form.payload_type for form in formats}
        self._remember(peer.formats)
        self._settle(settled, lines, peer)
        self._state = self._before
        return body, settled

    def make_image_answer(self, image: Attributes) -> tuple[bytes, Settled]:
        """Our answer to an offer of T.38, with what another machine says of it; raises ``RemoteError`` 488."""
        if self._state is not _State.ANSWERING or self._answering is None:
            raise LocalError("no offer of the peer waits for an answer")
        peer = self._answering
        if peer.offered.image is None:
            raise RemoteError(488, "No T.38 in the offer", Warn.MEDIA_TYPE)
        ours = self._image_line(image)
        lines = tuple(
            [
                ours if index == peer.line_index else line.refused()
                for index, line in enumerate(peer.description.media)
            ]
        )
        self._wanted = (), Direction.SENDRECV
        body = self._describe(lines)
        settled = peer.settle((), Direction.SENDRECV)
        self._settle(settled, lines, peer)
        self._state = self._before
        return body, settled

    def repeat_answer(self) -> tuple[bytes, Settled]:
        """Answer the offer taken as the last exchange was settled: for a peer that only refreshes the session."""
        if self._kept is None or self.settled is None:
            raise LocalError("there is no settled description to repeat")
        return self.make_answer(self.settled.codecs, self._kept[1])

    def roll_back(self) -> Settled | None:
        """Forget the open offer, ours or the peer's; what was settled before stands (RFC 3264 section 8)."""
        if self.is_open:
            self._state = self._before if self._state is _State.ANSWERING else _State.IDLE
        return self.settled

    def _must_be_closed(self) -> None:
        if self.is_open:
            raise LocalError("an offer is open already")

    def _describe(self, lines: tuple[MediaLine, ...]) -> bytes:
        """Our description with ``lines``; its version rises only when something changed (RFC 3264 section 8)."""
        host = self.local.host
        last = self._last_sent
        if last is None or last.media != lines or last.host != host:
            self._version += last is not None
            origin = Origin(str(self._session_id), str(self._version), host)
            self._last_sent = SessionDescription(origin, lines, host)
        assert self._last_sent is not None
        return self._last_sent.encode()

    def _placed(self, ours: MediaLine) -> tuple[MediaLine, ...]:
        """``ours`` at the place the session has for it, every other line refused.

        That is where its kind stood before, else where something lives now (RFC 3264 section 8.3.3).
        """
        live = next((index for index, line in enumerate(self._lines) if line.port), None)
        if live is None:
            return (*self._lines, ours)
        if self._lines[live].kind != ours.kind:
            live = next((index for index, line in enumerate(self._lines) if line.kind == ours.kind), live)
        return tuple(
            [
                ours if index == live else (line.refused() if line.port else line)
                for index, line in enumerate(self._lines)
            ]
        )

    def _image_line(self, image: Attributes) -> MediaLine:
        return MediaLine("image", self.local.port, "udptl", ("t38",), None, image)

    def _audio_line(self, formats: tuple[Format, ...], flow: Direction, packet_ms: int) -> MediaLine:
        numbers, attributes = described(formats)
        attributes = (*attributes, ("ptime", str(packet_ms)))
        if self.local.rtcp_port != self.local.port + 1:
            attributes = (*attributes, ("rtcp", str(self.local.rtcp_port)))
        return MediaLine("audio", self.local.port, "RTP/AVP", numbers, None, (*attributes, (flow.value, None)))

    def _settle(self, settled: Settled, lines: tuple[MediaLine, ...], peer: _Peer) -> None:
        self.settled = settled
        self._lines = lines
        self._kept = self._wanted
        self._theirs = peer.description
        self._spoken = peer.offered

    def _remember(self, formats: tuple[Format, ...]) -> None:
        """Numbers the peer used: none of them may mean another format in this session (section 8.3.2)."""
        for form in formats[: max(0, _MOST_NUMBERS - len(self._numbers))]:
            self._numbers.setdefault((form.encoding, form.clock_rate), form.payload_type)


class _State(Enum):
    IDLE = 0
    OFFERED = 1
    """Our offer waits for its answer."""
    ANSWERED = 2
    """Our offer has an answer, which a later one may replace."""
    ANSWERING = 3
    """The peer's offer waits for our answer."""


class _Peer(NamedTuple):
    """A peer's description and the audio line of it that counts."""

    description: SessionDescription
    line_index: int
    formats: tuple[Format, ...]
    offered: Offered

    @classmethod
    def read(cls, description: SessionDescription, preferred: int | None) -> _Peer:
        """Find the audio line, at index ``preferred`` if it lives; raises ``RemoteError`` 400 or 488."""
        index = _index_of_line(description, preferred)
        line = description.media[index]
        image = _fax_attributes(line) if line.kind == "image" else None
        host = _usable_host(description.host_of(line))
        their_direction = description.direction_of(line)
        flow = their_direction.reversed
        remote: RtpAddress | None = RtpAddress(host, line.port, line.rtcp_port)
        if is_unspecified(host):
            remote, flow = None, Direction.of(sends=False, receives=flow.receives)
        formats = line.rtp_formats() if image is None else ()
        offered = Offered(
            encodings(formats), flow, remote, not flow.sends, line.packet_ms or 20, image=image,
            knows_noise=has_noise(formats),
        )  # fmt: skip
        return cls(description, index, formats, offered)

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(form.payload_type for form in self.formats)

    def settle(self, formats: tuple[Format, ...], wanted: Direction) -> Settled:
        """The agreement when we use ``formats`` and would like ``wanted``."""
        allowed = self.offered.flow
        flow = Direction.of(
            sends=wanted.sends and allowed.sends, receives=wanted.receives and allowed.receives
        )  # fmt: skip
        offered = self.offered
        return Settled(offered.remote, formats, flow, offered.packet_ms, offered.held, offered.image)


def _index_of_line(description: SessionDescription, preferred: int | None) -> int:
    """The line to speak on: audio before T.38, for who offers both can do with audio."""

    def is_audio(line: MediaLine) -> bool:
        return line.kind == "audio" and line.port > 0 and line.protocol == "RTP/AVP"

    media = description.media
    if preferred is not None and preferred < len(media) and is_audio(media[preferred]):
        return preferred
    for index, line in enumerate(media):
        if is_audio(line):
            return index
    for index, line in enumerate(media):
        if line.kind == "image" and line.port > 0 and line.protocol.lower() == "udptl" and _is_fax(line):
            return index
    lines = ", ".join(f"{line.kind} {line.protocol}" for line in media if line.port) or "nothing"
    raise RemoteError(488, f"No RTP/AVP audio: offered {lines}"[:_LONGEST_REASON], Warn.MEDIA_TYPE)


def _is_fax(line: MediaLine) -> bool:
    return any(name.lower() == "t38" for name in line.formats)


def _fax_attributes(line: MediaLine) -> Attributes:
    """What a line says of T.38: passed from one machine to the other as it is."""
    return tuple([item for item in line.attributes if item[0][:3].upper() == "T38"])


def _usable_host(host: str | None) -> str:
    if host is None:
        raise RemoteError(400, "SDP without a connection address")
    try:
        literal = canonical_ip(host)
    except ValueError:
        raise RemoteError(488, "SDP connection must be an IP address", Warn.NETWORK_ADDRESS) from None
    first = literal.partition(".")[0]
    is_multicast = literal.startswith("ff") if ":" in literal else int(first) >= 224
    if is_multicast:
        raise RemoteError(488, "Multicast media is not supported", Warn.MULTICAST)
    return literal


_LONGEST_REASON = 160
_MOST_NUMBERS = 256


def _has_audio(formats: tuple[Format, ...]) -> bool:
    """Whether agreed formats, digits last, hold more than digits."""
    return bool(formats) and formats[0].encoding != DTMF


def _no_common_codec(offered: Iterable[Format], allowed: Iterable[str]) -> RemoteError:
    theirs = ", ".join(dict.fromkeys(form.encoding for form in offered)) or "none"
    reason = f"No common codec: offered {theirs}; allowed {', '.join(allowed)}"
    return RemoteError(488, reason[:_LONGEST_REASON], Warn.MEDIA_FORMAT)
