"""How the office reaches the outside and is reached from there: trunks, routes, levels, schedules, screening."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.core.peering import Identity as Identity
from engine.core.peering import ReliableProvisional

ANY = "*"
"""The prefix that every number has."""


class TrunkTransport(StrEnum):
    """What a trunk speaks SIP over."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    AUTO = "auto"
    """What the carrier's DNS prefers (NAPTR), else UDP."""


class Preset(StrEnum):
    """Habits of a kind of carrier."""

    PLAIN = "plain"
    IMS = "ims"
    """A 4G/IMS core: History-Info rather than Diversion, P-Early-Media, session timers, 180 after 183."""


class Srtp(StrEnum):
    """Whether a trunk's audio is encrypted (SDES over TLS, RFC 4568)."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Night(StrEnum):
    """The night switch: by hand, or as the schedules say."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Trunk:
    """An outside line that registers with a carrier, or a link to another server that is known by its address."""

    name: str
    host: str
    """The carrier's domain or address, without brackets."""
    port: int | None = None
    """``None`` asks the name service (RFC 3263), or is the transport's default for an address."""
    transport: TrunkTransport = TrunkTransport.UDP
    registers: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    """In the clear, for every digest of ours is made from it."""
    proxy: str | None = None
    """``HOST[:PORT]`` that everything is sent to instead of ``host``."""
    addresses: tuple[str, ...] = ()
    """Networks that calls come from, beside the addresses of ``host``."""
    max_in: int | None = None
    """Calls from it at once; ``None`` is unlimited, 0 forbids them."""
    max_out: int | None = None
    reserve_emergency: int = 0
    """How many of ``max_out`` are kept free for emergency calls."""
    reliable_provisional: ReliableProvisional = ReliableProvisional.SUPPORTED
    new_call_id: bool | None = None
    """Whether each REGISTER has a Call-ID of its own; ``None`` follows the site (``gVarSipRegSameDialog``)."""
    identity: Identity = Identity.PAI
    preset: Preset = Preset.PLAIN
    srtp: Srtp = Srtp.OFF
    over_limit: int = 486
    """What a call from it beyond ``max_in`` gets: 486, or 503 without Retry-After."""
    codecs: tuple[str, ...] = ()
    """Allowed codecs in order of preference; empty allows the site's."""
    is_trusted: bool = False
    """Whether what it asserts of a caller's identity is believed, and private identities are told to it."""


@dataclass(frozen=True, slots=True)
class RouteRule:
    """Where dialled numbers of a prefix go; the longest prefix of ``called`` wins, then of ``caller``."""

    id: int
    called: str
    caller: str = ANY
    plan: str = "default"
    strip: int = 0
    prepend: str = ""
    caller_as: str = "outside"
    """``keep`` (its own number), ``outside`` (its outside number, if it has one), or the number that is shown."""
    level: str | None = None
    """The call level that is needed."""
    when: str | None = None
    """The schedule in which the rule holds; ``None`` is always."""
    is_emergency: bool = False
    trunks: tuple[str, ...] = ()
    """Names, the first one that takes the call carries it."""
    extension: str | None = None
    group: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class InboundRule:
    """Where calls go that come from a trunk for a number; the longest prefix of ``called`` wins."""

    id: int
    trunk: str
    called: str
    extension: str | None = None
    group: str | None = None
    service: str | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A right to call out; who has a higher rank may do what a lower one may."""

    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something holds, in the office's local time."""

    name: str
    when: str
    """Such as ``mo-fr 09:00-17:30``; several parts are separated by commas."""
    holidays: tuple[str, ...] = ()
    """Days ``YYYY-MM-DD``, or ``MM-DD`` for every year, on which it does not hold."""


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """A row of the system black and white list."""

    id: int
    caller: str
    """A prefix, ``*`` for any, or ``anonymous`` for every way of being so."""
    called: str
    rate: int = 100
    """Per cent of the matching calls that are blocked."""
    is_white: bool = False


@dataclass(frozen=True, slots=True)
class AddressRow:
    """A network whose packets are refused, or one that is always let in."""

    network: str
    is_white: bool
