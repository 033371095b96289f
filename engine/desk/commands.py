"""What a face may ask of the office, one frozen value a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.core.peering import ReliableProvisional
from engine.store.configuration import HoldPolicy, Role


@dataclass(frozen=True, slots=True)
class Command:
    """Root of all commands; each docstring says what ``Desk.ask`` returns for it."""


@dataclass(frozen=True, slots=True)
class ExtensionFields:
    """What may be said of an extension; ``None`` leaves a field as it is (on adding: its default)."""

    name: str | None = None
    password: str | None = None
    multi_device: bool | None = None
    max_devices: int | None = None
    max_calls: int | None = None
    """0 is not allowed; ``unlimited`` is said with ``clear``."""
    add_rights: frozenset[str] = frozenset()
    remove_rights: frozenset[str] = frozenset()
    hold: HoldPolicy | None = None
    codecs: tuple[str, ...] | None = None
    email: str | None = None
    level: str | None = None
    max_out: int | None = None
    outside_number: str | None = None
    plan: str | None = None
    from_network: str | None = None
    reliable_provisional: ReliableProvisional | None = None
    voicemail_pin: str | None = field(default=None, repr=False)
    clear: frozenset[str] = frozenset()
    """Names of fields to empty: name, voicemail_pin, codecs, email, level, outside_number, plan, from_network;
    max_calls and max_out to make them unlimited."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password the office made up; it is shown once and stored nowhere."""

    account: str
    password: str


@dataclass(frozen=True, slots=True)
class ListExtensions(Command):
    """Returns ``tuple[Extension, ...]`` in numeric order."""


@dataclass(frozen=True, slots=True)
class ShowExtension(Command):
    """Returns ``Extension``."""

    number: str


@dataclass(frozen=True, slots=True)
class AddExtension(Command):
    """Returns ``NewPassword`` when no password was given, else ``None``."""

    number: str
    fields: ExtensionFields = field(default_factory=ExtensionFields)


@dataclass(frozen=True, slots=True)
class SetExtension(Command):
    """Returns ``None``."""

    number: str
    fields: ExtensionFields


@dataclass(frozen=True, slots=True)
class ResetPassword(Command):
    """A new random password for an extension; returns ``NewPassword``."""

    number: str


@dataclass(frozen=True, slots=True)
class RemoveExtension(Command):
    """Its phones are unregistered, its running calls go on; returns ``None``."""

    number: str


@dataclass(frozen=True, slots=True)
class OperatorFields:
    """What may be said of an operator; ``None`` leaves a field as it is."""

    password: str | None = None
    add_keys: tuple[str, ...] = ()
    """OpenSSH public key lines."""
    role: Role | None = None
    extension: str | None = None
    clear: frozenset[str] = frozenset()
    """password, keys, extension."""


@dataclass(frozen=True, slots=True)
class ListOperators(Command):
    """Returns ``tuple[Operator, ...]``."""


@dataclass(frozen=True, slots=True)
class ShowOperator(Command):
    """Returns ``Operator``."""

    login: str


@dataclass(frozen=True, slots=True)
class AddOperator(Command):
    """Returns ``NewPassword`` when neither password nor key was given, else ``None``."""

    login: str
    fields: OperatorFields = field(default_factory=OperatorFields)


@dataclass(frozen=True, slots=True)
class SetOperator(Command):
    """Returns ``None``."""

    login: str
    fields: OperatorFields


@dataclass(frozen=True, slots=True)
class RemoveOperator(Command):
    """Refused for the last administrator; returns ``None``."""

    login: str


@dataclass(frozen=True, slots=True)
class ListRegistrations(Command):
    """Returns ``tuple[RegistrationView, ...]``; without an engine, what is stored."""


@dataclass(frozen=True, slots=True)
class RemoveRegistration(Command):
    """Forget the phones registered for an extension, or only the one with this contact; returns how many."""

    extension: str
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class GetParams(Command):
    """Returns ``Mapping[str, Any]``: one parameter when named, else all."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class SetParam(Command):
    """Returns ``None``."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListCalls(Command):
    """Returns ``tuple[CallView, ...]``; empty without an engine."""


@dataclass(frozen=True, slots=True)
class AuditLamps(Command):
    """Compare lamps with the calls there are and mend what differs; returns ``LampAudit``."""


@dataclass(frozen=True, slots=True)
class ListLamps(Command):
    """Returns ``Mapping[str, Lamp]`` of every extension."""


@dataclass(frozen=True, slots=True)
class ListRecords(Command):
    """Returns ``tuple[CallRecord, ...]``, newest first."""

    since: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    who: str | None = None
    """Part of a caller's or callee's number, or of an extension's name."""
    is_answered: bool | None = None
    trunk: str | None = None
    """In or out by this trunk."""


@dataclass(frozen=True, slots=True)
class SaveRecords(Command):
    """Write records as CSV to a file in the state folder; returns its path as ``str``."""

    asked: ListRecords


@dataclass(frozen=True, slots=True)
class HourOfCalls:
    """How many calls began in the hour from ``at`` on."""

    at: datetime
    answered: int
    missed: int


@dataclass(frozen=True, slots=True)
class CountCalls(Command):
    """Returns ``tuple[HourOfCalls, ...]`` of the hours in which calls began, the oldest first."""

    since: datetime
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReleaseCall(Command):
    """End a call named by its id, or the call of an extension; returns ``CallId``.

    ``acting`` is the extension that ends it: its own call, or by its right *release* that of others. With a
    ``revision`` it is refused when the call has changed since.
    """

    target: str
    revision: int | None = None
    acting: str | None = None


@dataclass(frozen=True, slots=True)
class TransferCall(Command):
    """Connect the other party of a call with ``number``, or send a call that rings on to it; returns ``CallId``.

    ``acting`` is the extension that transfers, by its rights; without it the party that was called does, else the
    one that called. With a ``revision`` it is refused when the call has changed since.
    """

    target: str
    number: str
    acting: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ReadLadder(Command):
    """The SIP messages of a call named by its id, live or recent, or of the only call of an extension.

    Returns ``Ladder`` with a page of at most ``limit`` (100) messages from number ``first`` on. Digests and keys
    are blackened; only an administrator may ask ``with_secrets``.
    """

    target: str
    first: int = 0
    limit: int = 100
    with_secrets: bool = False


@dataclass(frozen=True, slots=True)
class SaveLadder(Command):
    """Write the messages of a call to a capture file in the state folder; returns its path as ``str``."""

    target: str


@dataclass(frozen=True, slots=True)
class GetStatus(Command):
    """Returns ``HealthView`` and counts as ``StatusReport``; refused without an engine."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What ``frontdesk status`` prints."""

    version: str
    uptime_s: float
    pid: int
    calls: int
    registrations: int
    trunks: int
    media_backend: str
    media_sessions: int
    listeners: tuple[tuple[str, str], ...]
    """(kind, address) of each."""
    loop_delay_p99_ms: float
    loop_delay_max_ms: float
    media_is_real_time: bool = False
    garbage: int = 0
    """Datagrams that were no SIP, since the start."""
    lamps_repaired: int = 0
    """Faults that the lamp auditor has mended since the start."""
    gc: Mapping[str, Any] = field(default_factory=dict)
    """Garbage-collector pauses since the start: ``count``, ``max_ms``, ``total_ms``."""
    advertised: tuple[str, ...] = ()
    """The addresses that peers outside are told instead of ours; none without a NAT."""


@dataclass(frozen=True, slots=True)
class ShowCertificate(Command):
    """Returns ``CertificateView`` of the certificate in force; refused when the engine has none."""


@dataclass(frozen=True, slots=True)
class ReloadCertificate(Command):
    """Read the TLS certificate again; returns ``CertificateView``. Connections that stand are not touched."""


@dataclass(frozen=True, slots=True)
class ExportConfiguration(Command):
    """The whole configuration as TOML; returns ``str``."""

    secrets: bool = False
    """With the hashes of all passwords."""


@dataclass(frozen=True, slots=True)
class ImportConfiguration(Command):
    """Replace the whole configuration by the TOML ``text``, or nothing; returns ``ImportReport``."""

    text: str
    dry_run: bool = False
    """Tell what would change, and change nothing."""


@dataclass(frozen=True, slots=True)
class ImportChange:
    """One thing an import changes: ``sign`` is ``+``, ``~`` or ``-``, ``what`` such as ``extension 101``."""

    sign: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, or would change."""

    changes: tuple[ImportChange, ...]
    passwords: tuple[NewPassword, ...] = ()
    """Made up for whoever is new; shown once and stored nowhere."""


@dataclass(frozen=True, slots=True)
class StopEngine(Command):
    """Let calls end for at most ``drain_s`` seconds, then stop; returns ``None`` at once."""

    drain_s: float = 0.0
