"""What a face may ask about where calls go and who is let in, one frozen value a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.desk.commands import Command
from engine.store.outside import Night, Schedule, ScreenRow


@dataclass(frozen=True, slots=True)
class Added:
    """A numbered row that was added or changed, and what its maker should know."""

    id: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteFields:
    """What may be said of a route; ``None`` leaves a field as it is (on adding: its default).

    A target (trunks, extension, group or service) takes the place of the one there was.
    """

    called: str | None = None
    caller: str | None = None
    plan: str | None = None
    strip: int | None = None
    prepend: str | None = None
    caller_as: str | None = None
    level: str | None = None
    when: str | None = None
    is_emergency: bool | None = None
    trunks: tuple[str, ...] | None = None
    extension: str | None = None
    group: str | None = None
    service: str | None = None
    clear: frozenset[str] = frozenset()
    """Names of fields to empty: caller, plan, strip, prepend, caller_as, level, when."""


@dataclass(frozen=True, slots=True)
class ListRoutes(Command):
    """Returns ``tuple[RouteRule, ...]`` by number."""


@dataclass(frozen=True, slots=True)
class ShowRoute(Command):
    """Returns ``RouteRule``."""

    id: int


@dataclass(frozen=True, slots=True)
class AddRoute(Command):
    """Returns ``Added``."""

    fields: RouteFields


@dataclass(frozen=True, slots=True)
class SetRoute(Command):
    """Returns ``Added``."""

    id: int
    fields: RouteFields


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one field, and its mend."""

    field: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What somebody who is typing should know."""

    flaws: tuple[Flaw, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckRoute(Command):
    """What adding a route, or with ``id`` changing it, would meet; returns ``Checked``, changes nothing."""

    fields: RouteFields
    id: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveRoute(Command):
    """Returns ``None``."""

    id: int


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One step of a decision: the name of its sentence, and what fills that in."""

    key: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteTest:
    """Where a call would go."""

    outcome: str
    """extension, trunk, service, group or refused."""
    target: str | None
    """The number, trunk, module; ``None`` when it is refused."""
    number: str
    """What the target is asked for."""
    caller: str | None
    """Whom the target is shown as the caller; ``None`` when that is withheld."""
    status: int | None = None
    """What a refused call is answered with, and why."""
    reason: str | None = None
    trunks: tuple[str, ...] = ()
    """The trunks in the order in which they are tried."""
    steps: tuple[RouteStep, ...] = ()


@dataclass(frozen=True, slots=True)
class TryRoute(Command):
    """Tell where a call would go and why, without making it; returns ``RouteTest``.

    With ``trunk`` it comes from there, and ``caller`` is any number, or ``anonymous``; else from an extension.
    """

    dialled: str
    caller: str | None = None
    trunk: str | None = None
    at: str | None = None
    """RFC 3339; a time without a zone is the office's own; ``None`` is now."""


@dataclass(frozen=True, slots=True)
class InboundFields:
    """What may be said of an inbound number; a target takes the place of the one there was."""

    trunk: str | None = None
    called: str | None = None
    extension: str | None = None
    group: str | None = None
    service: str | None = None
    when: str | None = None
    clear: frozenset[str] = frozenset()
    """when."""


@dataclass(frozen=True, slots=True)
class ListInbound(Command):
    """Returns ``tuple[InboundRule, ...]`` by number."""


@dataclass(frozen=True, slots=True)
class AddInbound(Command):
    """Returns ``Added``."""

    fields: InboundFields


@dataclass(frozen=True, slots=True)
class SetInbound(Command):
    """Returns ``Added``."""

    id: int
    fields: InboundFields


@dataclass(frozen=True, slots=True)
class CheckInbound(Command):
    """What adding an inbound number, or with ``id`` changing it, would meet; returns ``Checked``."""

    fields: InboundFields
    id: int | None = None


@dataclass(frozen=True, slots=True)
class RemoveInbound(Command):
    """Returns ``None``."""

    id: int


@dataclass(frozen=True, slots=True)
class ListLevels(Command):
    """Returns ``tuple[Level, ...]``, the lowest rank first."""


@dataclass(frozen=True, slots=True)
class AddLevel(Command):
    """Returns ``None``."""

    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class SetLevel(Command):
    """Returns ``None``."""

    name: str
    rank: int


@dataclass(frozen=True, slots=True)
class RemoveLevel(Command):
    """Refused while an extension or a route has it; returns ``None``."""

    name: str


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule and whether it holds now."""

    schedule: Schedule
    holds: bool


@dataclass(frozen=True, slots=True)
class ListSchedules(Command):
    """Returns ``tuple[ScheduleView, ...]`` by name."""


@dataclass(frozen=True, slots=True)
class AddSchedule(Command):
    """Returns ``None``."""

    name: str
    when: str
    holidays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetSchedule(Command):
    """``None`` leaves what there is; holidays take the place of those there were. Returns ``None``."""

    name: str
    when: str | None = None
    holidays: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RemoveSchedule(Command):
    """Refused while a route or an inbound number has it; returns ``None``."""

    name: str


@dataclass(frozen=True, slots=True)
class GetNight(Command):
    """Returns ``Night``."""


@dataclass(frozen=True, slots=True)
class SetNight(Command):
    """Returns ``None``."""

    night: Night


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A row of the screening list and how many calls it has decided since the engine's start."""

    row: ScreenRow
    hits: int


@dataclass(frozen=True, slots=True)
class ListScreening(Command):
    """Returns ``tuple[ScreenView, ...]`` by number; without an engine nothing was counted."""


@dataclass(frozen=True, slots=True)
class AddScreenRow(Command):
    """Returns ``int``, the row's number."""

    caller: str
    called: str
    rate: int = 100
    is_white: bool = False


@dataclass(frozen=True, slots=True)
class SetScreenRow(Command):
    """``None`` leaves what there is; its count goes on. Returns ``None``."""

    id: int
    caller: str | None = None
    called: str | None = None
    rate: int | None = None
    is_white: bool | None = None


@dataclass(frozen=True, slots=True)
class RemoveScreenRow(Command):
    """Returns ``None``."""

    id: int


@dataclass(frozen=True, slots=True)
class ListAddresses(Command):
    """Returns ``tuple[AddressRow, ...]``."""


@dataclass(frozen=True, slots=True)
class PutAddress(Command):
    """Let a network in always, or never; returns the network as it is kept, ``str``."""

    network: str
    is_white: bool


@dataclass(frozen=True, slots=True)
class RemoveAddress(Command):
    """Returns ``None``."""

    network: str
