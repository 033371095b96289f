"""The office's configuration as one immutable snapshot, swapped whole when anything in it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from engine.core.peering import ReliableProvisional
from engine.store.outside import AddressRow, InboundRule, Level, Night, RouteRule, Schedule, ScreenRow, Trunk
from engine.store.services import Group, Trigger


class Right(StrEnum):
    """What an extension may do, or what protects it (``overstep``)."""

    BARGE_IN = "barge-in"
    OVERSTEP = "overstep"
    LISTEN = "listen"
    WHISPER = "whisper"
    TAKE_OVER = "take-over"
    RELEASE = "release"
    PULL = "pull"
    OVERRIDE = "override"
    PICKUP = "pickup"
    FORWARD_ALWAYS = "forward-always"
    FORWARD_BUSY = "forward-busy"
    FORWARD_NO_ANSWER = "forward-no-answer"
    FORWARD_UNREACHABLE = "forward-unreachable"
    RECORD = "record"


class HoldPolicy(StrEnum):
    """Whether a held party is told by SIP (``pass``) or hears music from us (``local``)."""

    PASS = "pass"  # noqa: S105 - a policy, no password
    LOCAL = "local"


class Role(StrEnum):
    """What an operator's login may do in the console; each role includes the ones before it."""

    VIEWER = "viewer"
    RECEPTIONIST = "receptionist"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class DigestSecrets:
    """What digest verification needs of a password: H(user:realm:password) in hex, never the password."""

    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Extension:
    """One number of the office and what it may do."""

    number: str
    name: str | None
    secrets: DigestSecrets
    previous_secrets: DigestSecrets | None = None
    """Of the password before this one: a phone that still uses it is shown, never banned."""
    multi_device: bool = False
    """One number, many phones."""
    max_devices: int = 3
    """How many phones may register when ``multi_device`` is set."""
    max_calls: int | None = 2
    """Calls at once before the extension is busy; ``None`` is unlimited."""
    rights: frozenset[Right] = frozenset()
    hold: HoldPolicy = HoldPolicy.LOCAL
    codecs: tuple[str, ...] = ()
    """Allowed codecs in order of preference; empty allows the site's."""
    email: str | None = None
    reliable_provisional: ReliableProvisional = ReliableProvisional.SUPPORTED
    level: str | None = None
    """The call level; ``None`` may call what needs none."""
    max_out: int | None = None
    """Outgoing calls to the outside at once; ``None`` is unlimited."""
    outside_number: str | None = None
    """The number that the outside sees of this extension."""
    plan: str = "default"
    """The dial plan by which its numbers are routed."""
    from_network: str | None = None
    """The network its phones must be in; ``None`` is any."""
    forward_always: str | None = None
    """The number that takes its calls at once; the next three when it is busy, silent or has no phone."""
    forward_busy: str | None = None
    forward_no_answer: str | None = None
    forward_unreachable: str | None = None
    dnd: bool = False
    """Do not disturb: nothing rings."""
    voicemail_pin: str | None = field(default=None, repr=False)
    """What is asked for before messages are told elsewhere than at its own phone."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may log in to the console."""

    login: str
    role: Role
    password_hash: str | None
    """scrypt with its parameters and salt; ``None`` when only keys may log in."""
    keys: tuple[str, ...] = ()
    """OpenSSH public keys, one line each."""
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is configured, at one revision."""

    revision: int
    realm: str
    """The digest realm, fixed at first run because the password hashes contain it."""
    extensions: Mapping[str, Extension] = field(default_factory=lambda: MappingProxyType({}))
    operators: Mapping[str, Operator] = field(default_factory=lambda: MappingProxyType({}))
    trunks: Mapping[str, Trunk] = field(default_factory=lambda: MappingProxyType({}))
    routes: tuple[RouteRule, ...] = ()
    inbound: tuple[InboundRule, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=lambda: MappingProxyType({}))
    schedules: Mapping[str, Schedule] = field(default_factory=lambda: MappingProxyType({}))
    screening: tuple[ScreenRow, ...] = ()
    addresses: tuple[AddressRow, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=lambda: MappingProxyType({}))
    night: Night = Night.AUTO
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Every site parameter by name, defaults filled in, already of its type (see ``engine.core.params``)."""
