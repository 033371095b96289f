"""The media gateway's interface: what the office asks of any gateway, leg by leg."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple, NewType, Protocol

from engine.media._native import opus_version

MediaLegId = NewType("MediaLegId", int)
"""A leg's handle inside one gateway; never reused while the gateway runs."""
MixId = NewType("MixId", int)
"""A mix's handle: below nought, so that no leg has the same."""
RecordingId = NewType("RecordingId", int)
TONE_MS, GAP_MS = 160, 80
"""How long a digit of ours sounds, and the pause behind it (RFC 4733 section 2.5: at least 40 ms each)."""

PLAYABLE = frozenset({"PCMA", "PCMU", "G722", *(("OPUS",) if opus_version() else ())})
"""Encodings that clips, tones and mixes can be heard in, and that are transcoded into each other; Opus where the
machine has libopus."""


# What each call makes anew are named tuples: they are made in a quarter of a frozen dataclass's time.


class MediaAddress(NamedTuple):
    """An RTP port pair as SDP names it: ``rtcp_port`` is ``port + 1`` unless said otherwise."""

    host: str
    port: int
    rtcp_port: int


class PayloadFormat(NamedTuple):
    """One negotiated RTP payload of a leg (RFC 3551, RFC 4733 for ``telephone-event``)."""

    payload_type: int
    encoding: str
    """The SDP name in upper case (``PCMA``, ``PCMU``, ``G722`` …), ``telephone-event`` in lower case."""
    clock_rate: int


class Flow(Enum):
    """Which way audio may flow on a leg, seen from us (RFC 3264)."""

    sends: bool
    receives: bool

    BOTH = "sendrecv", True, True
    TO_PEER = "sendonly", True, False
    FROM_PEER = "recvonly", False, True
    NONE = "inactive", False, False

    def __new__(cls, value: str, sends: bool, receives: bool) -> Flow:
        flow = object.__new__(cls)
        flow._value_ = value
        flow.sends = sends
        flow.receives = receives
        return flow


class LegPlan(NamedTuple):
    """What a leg's SDP settled: where the peer listens, what it speaks, which way audio flows."""

    remote: MediaAddress | None
    """The peer's announced address; ``None`` while no SDP of the peer is known. Port 0 sends nothing."""
    formats: tuple[PayloadFormat, ...]
    """Negotiated payloads in order of preference; anything else from the peer is dropped and counted."""
    flow: Flow = Flow.BOTH
    trusted_hosts: tuple[str, ...] = ()
    """Further hosts from which the first packet may latch the port, such as the signalling source behind NAT."""
    packet_ms: int = 20
    is_datagrams: bool = False
    """The peer speaks no RTP but UDPTL (T.38): its datagrams are passed, unread, to a leg of the same kind."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Audio to play: 16-bit signed linear samples, mono, 8000 Hz, native byte order."""

    name: str
    samples: bytes

    @property
    def duration_ms(self) -> float:
        return len(self.samples) / 16


class StreamStatistics(NamedTuple):
    """One direction of one leg."""

    packets: int = 0
    octets: int = 0
    lost: int = 0
    loss_percent: float = 0.0
    jitter_ms: float = 0.0
    mos: float = 4.5
    """1.0 to 4.5, from loss, jitter and delay by the E-model (ITU-T G.107); 4.5 while nothing flowed."""


class LegStatistics(NamedTuple):
    """What the gateway knows of a leg."""

    received: StreamStatistics
    """What came from the peer, measured here."""
    sent: StreamStatistics
    """What went to the peer: packets and octets counted here; loss and jitter as its RTCP reports tell them."""
    latched: tuple[str, int] | None = None
    """Where RTP really comes from; ``None`` before the first packet."""
    strangers: int = 0
    """Packets dropped because they came from neither the latched nor a trusted address."""
    malformed: int = 0
    """Packets dropped because they are no RTP or RTCP."""
    unexpected_payload: int = 0
    """RTP packets dropped because their payload type was not negotiated."""
    round_trip_ms: float | None = None
    silent_s: float | None = None
    """Seconds since the last RTP or RTCP from the peer; ``None`` before the first."""
    is_quiet: bool = False
    """The peer sends comfort noise (RFC 3389) instead of audio: it may say nothing until somebody speaks."""


class PortsExhaustedError(Exception):
    """No free port pair is left in the gateway's range: answer 503 and tell the administrator."""


class MediaGateway(Protocol):
    """Anchors every leg's audio. One leg is one RTP/RTCP port pair towards one peer.

    A leg sends either what the leg it is connected to receives, or what is played to it, or nothing. All
    methods are called on the engine's loop; a gateway embedded here answers without suspending, a remote one
    awaits. A method given a leg that is closed raises ``KeyError``.
    """

    @property
    def backend(self) -> str:
        """``native`` or ``rtpengine``."""
        ...

    @property
    def is_real_time(self) -> bool:
        """Whether audio goes before everything else on the gateway's machine."""
        ...

    @property
    def sessions(self) -> int:
        """Legs that are open now."""
        ...

    on_digit: Callable[[MediaLegId, str], None] | None
    """Called on the loop once for each digit (``0-9*#A-D``) that the peer of a leg presses, while listened to."""
    on_played: Callable[[MediaLegId], None] | None
    """Called on the loop when a clip that does not repeat has ended by itself."""
    on_recording_failed: Callable[[RecordingId, str], None] | None
    """Called on the loop when a recording had to end, with the reason: a full disk."""

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Close every leg and release all ports and threads."""
        ...

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]:
        """Take a port pair on ``local_host`` (IPv4 or IPv6 literal); the address is what SDP must announce.

        Raises ``PortsExhaustedError``, or ``OSError`` when the host is none of ours.
        """
        ...

    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None:
        """Apply a newly settled SDP. A changed remote address opens the latch again."""
        ...

    async def connect(self, one: MediaLegId, other: MediaLegId) -> None:
        """Relay between two legs (or one with itself: an echo), ending any playing or earlier connection.

        Payload types are rewritten by encoding and clock rate; audio that the other side has not negotiated is
        transcoded between those of ``PLAYABLE``, any other payload dropped. Both legs leave their mixes. SSRC,
        sequence and timestamp stay continuous towards each peer across reconnects.
        """
        ...

    async def disconnect(self, leg: MediaLegId) -> None:
        """End the leg's connection and its playing; both ends stay open and send nothing."""
        ...

    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None:
        """Send ``clip`` to the peer in the leg's first format that the gateway can encode (``PLAYABLE``).

        Its connection rests meanwhile in this direction; audio from the peer still reaches the other leg. In a
        mix the clip is heard over the others.
        """
        ...

    async def stop_playing(self, leg: MediaLegId) -> None:
        """End the playing without a click, within a packet; a resting connection goes on at once."""
        ...

    async def listen_digits(self, leg: MediaLegId, *, in_band: bool = False) -> None:
        """Report digits of the peer: its events (RFC 4733), with ``in_band`` the tones in its audio, too."""
        ...

    async def stop_listening(self, leg: MediaLegId) -> None: ...

    async def send_digits(
        self, leg: MediaLegId, digits: str, *, tone_ms: int = TONE_MS, gap_ms: int = GAP_MS
    ) -> None:
        """Send digits to the peer one after the other: as events where negotiated, else as tones in its codec.

        Whatever else goes to the peer rests meanwhile. At most 32 wait; ``ValueError`` for more at once.
        """
        ...

    async def open_mix(self) -> MixId: ...

    async def close_mix(self, mix: MixId) -> None:
        """Let the mix go; legs that are in it leave it."""
        ...

    async def join_mix(self, mix: MixId, leg: MediaLegId, *, hears: frozenset[MediaLegId] | None = None) -> None:
        """Put a leg into a mix, out of its connection or another mix; asked again it changes what the leg hears.

        ``None`` hears everybody else, a set exactly these. Who is to stay unheard is left out of others' sets.
        """
        ...

    async def leave_mix(self, leg: MediaLegId) -> None: ...

    async def start_recording(
        self,
        target: MediaLegId | tuple[MediaLegId, MediaLegId] | MixId,
        file: Path,
        *,
        stereo: bool = False,
    ) -> RecordingId:
        """Record what a leg's peer says, or two peers, or a mix, to a WAV file of 8000 Hz, 16 bit.

        The file is readable at any moment. It ends with its legs, too. Raises ``OSError`` when it cannot be made.
        """
        ...

    async def stop_recording(self, recording: RecordingId) -> float:
        """End it; the seconds that were recorded, 0 when it has ended before."""
        ...

    async def query(self, leg: MediaLegId) -> LegStatistics: ...

    async def close_leg(self, leg: MediaLegId) -> LegStatistics:
        """Release the port pair; returns the final figures."""
        ...
