"""The native media relay (C, see native/): legs on a thread of their own that never takes the GIL.

Legs are numbers; one that is closed raises ``KeyError``. Nothing here waits for the thread except ``stop``.
"""

from typing import final

from typing_extensions import Buffer

Account = tuple[
    tuple[int, int, int, int, float],
    tuple[int, int, int, float],
    tuple[str, int] | None,
    int,
    int,
    int,
    float | None,
    float | None,
]
"""Received (packets, payload octets, expected, lost, jitter in ms), sent (packets, payload octets, lost and
jitter in ms as the peer's RTCP tells them), latched address, strangers, malformed, unexpected payloads, round trip
in ms, seconds of silence."""

Plan = tuple[
    tuple[str, int, int] | None,
    tuple[tuple[int, str, int], ...],
    object,
    tuple[str, ...],
    int,
    bool,
]
"""A ``LegPlan``; its flow is told apart."""

@final
class Clip:
    """Linear samples (16 bit, 8000 Hz, native byte order) that the thread can play; a copy."""

    def __new__(cls, samples: Buffer) -> Clip: ...

@final
class Relay:
    """The media thread with its legs; ports are those that SDP may announce, both ends included. A pair rests for
    ``rest_s`` (0 to 600) between two legs."""

    def __new__(cls, first_port: int, last_port: int, rest_s: float) -> Relay: ...
    @property
    def sessions(self) -> int: ...
    @property
    def is_real_time(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def open_leg(self, host: str, /) -> tuple[int, int] | None: ...
    def update_leg(self, leg: int, plan: Plan, sends: bool, receives: bool, /) -> None: ...
    def connect(self, one: int, other: int, /) -> None: ...
    def disconnect(self, leg: int, /) -> None: ...
    def play(self, leg: int, clip: Clip, repeat: bool, /) -> bool: ...
    def stop_playing(self, leg: int, /) -> None: ...
    def is_playing(self, leg: int, /) -> bool: ...
    def query(self, leg: int, /) -> Account: ...
    def close_leg(self, leg: int, /) -> Account: ...
