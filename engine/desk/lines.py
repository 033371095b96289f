"""What a face may ask about outside lines, one frozen value a command."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.peering import Identity, ReliableProvisional
from engine.desk.commands import Command
from engine.store.outside import Preset, Srtp, TrunkTransport


@dataclass(frozen=True, slots=True)
class TrunkFields:
    """What may be said of an outside line; ``None`` leaves a field as it is (on adding: its default)."""

    host: str | None = None
    port: int | None = None
    transport: TrunkTransport | None = None
    registers: bool | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    proxy: str | None = None
    addresses: tuple[str, ...] | None = None
    max_in: int | None = None
    """Unlimited is said with ``clear``."""
    max_out: int | None = None
    reserve_emergency: int | None = None
    reliable_provisional: ReliableProvisional | None = None
    new_call_id: bool | None = None
    identity: Identity | None = None
    preset: Preset | None = None
    srtp: Srtp | None = None
    over_limit: int | None = None
    codecs: tuple[str, ...] | None = None
    is_trusted: bool | None = None
    clear: frozenset[str] = frozenset()
    """Names of fields to empty; max_in and max_out become unlimited."""


@dataclass(frozen=True, slots=True)
class ListTrunks(Command):
    """Returns ``tuple[TrunkView, ...]`` in the order of their names."""


@dataclass(frozen=True, slots=True)
class ShowTrunk(Command):
    """Returns ``Trunk`` without its password."""

    name: str


@dataclass(frozen=True, slots=True)
class AddTrunk(Command):
    """Returns ``None``."""

    name: str
    fields: TrunkFields = field(default_factory=TrunkFields)


@dataclass(frozen=True, slots=True)
class SetTrunk(Command):
    """Returns ``None``."""

    name: str
    fields: TrunkFields


@dataclass(frozen=True, slots=True)
class RemoveTrunk(Command):
    """Its running calls go on; returns ``None``."""

    name: str
