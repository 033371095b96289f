"""Commands that carry the whole configuration out and in: ``export`` and ``import``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.core.errors import RefusedError
from engine.core.params import PARAMS, param_text
from engine.desk.commands import (
    ExportConfiguration,
    ImportChange,
    ImportConfiguration,
    ImportReport,
    NewPassword,
)
from engine.desk.counter import Counter
from engine.desk.operator_commands import demand_administrator
from engine.desk.routing_checks import known_services
from engine.desk.transfer_routing import RoutingImport
from engine.store.configuration import DigestSecrets, Extension, Operator
from engine.store.outside import Trunk
from engine.store.passwords import digest_secrets, hash_password, make_password, matches

if TYPE_CHECKING:
    from engine.desk.wanted import Wanted, WantedExtension, WantedOperator
    from engine.store.rows import Rows

_NO_SECRETS = DigestSecrets("", "")


async def export_configuration(counter: Counter, command: ExportConfiguration) -> str:
    from engine.desk.export import export_text  # this and the next: 30 ms that no start should pay

    return await asyncio.to_thread(  # a tenth of a second for a thousand extensions
        export_text,
        counter.configuration,
        with_secrets=command.secrets,
        version=__version__,
        at=counter.clock.wall(),
    )


async def import_configuration(counter: Counter, command: ImportConfiguration) -> ImportReport:
    from engine.desk.wanted import read_wanted

    services = known_services(counter.store.folder)
    wanted = await asyncio.to_thread(read_wanted, command.text, services)
    if command.dry_run:
        return await asyncio.wrap_future(counter.store.read(lambda rows: _Import(rows, wanted).compare()))
    return await counter.change(lambda rows: _Import(rows, wanted).carry_out(), "configuration")


@dataclass(slots=True)
class _Import:
    """One import inside one transaction, on the store's thread."""

    rows: Rows
    wanted: Wanted
    report: list[ImportChange] = field(default_factory=list)
    passwords: list[NewPassword] = field(default_factory=list)
    is_dry: bool = False

    def compare(self) -> ImportReport:
        """What would change; no password is made up."""
        self.is_dry = True
        return self.carry_out()

    def carry_out(self) -> ImportReport:
        """Make the office what the file wants; raises ``RefusedError`` for what cannot be, and nothing is kept."""
        realm = self.wanted.realm or self.rows.site.find("realm") or ""
        extensions, removed = self._new_extensions(realm)
        trunks, cut = self._new_trunks()
        operators, gone = self._new_operators()
        self._demand_administrator(operators)
        self._change_realm(realm)
        self._change_params()
        routing = RoutingImport(self.rows, self._compare, self._note_removed, is_dry=self.is_dry)
        routing.carry_out(self.wanted.routing)
        if not self.is_dry:
            for number in removed:
                self.rows.extensions.remove(number)
            for extension in extensions:
                self.rows.extensions.put(extension)
            for name in cut:
                self.rows.trunks.remove(name)
            for trunk in trunks:
                self.rows.trunks.put(trunk)
            for login in gone:
                self.rows.operators.remove(login)
            for operator in operators:
                self.rows.operators.put(operator)
        return ImportReport(tuple(self.report), () if self.is_dry else tuple(self.passwords))

    def _demand_administrator(self, operators: list[Operator]) -> None:
        try:
            demand_administrator(operators)
        except RefusedError:
            raise RefusedError(
                "the file leaves no administrator who can log in", 'give it an [operator.NAME] with role = "admin"'
            ) from None

    # -- extensions ---------------------------------------------------------------------------------------------

    def _new_extensions(self, realm: str) -> tuple[list[Extension], list[str]]:
        current = {each.number: each for each in self.rows.extensions.all()}
        is_new_realm = realm != self.rows.site.find("realm")
        fresh = []
        for number, wanted in self.wanted.extensions.items():
            before = current.get(number)
            if before is not None and is_new_realm and wanted.password is None and wanted.secrets is None:
                raise RefusedError(
                    f"extension.{number}: its password belongs to another realm than the file's",
                    "give its password or its hashes, or leave site.realm out",
                )
            after = self._extension(number, wanted, before, realm)
            self._compare(f"extension {number}", before, after, _EXTENSION_FIELDS)
            fresh.append(after)
        removed = sorted(current.keys() - self.wanted.extensions.keys())
        self._note_removed("extension", removed)
        return fresh, removed

    def _extension(self, number: str, wanted: WantedExtension, before: Extension | None, realm: str) -> Extension:
        blank = Extension(number, None, _NO_SECRETS, voicemail_pin=before.voicemail_pin if before else None)
        if wanted.secrets is not None:
            secrets = wanted.secrets
        elif wanted.password is not None or before is None:
            secrets = digest_secrets(number, realm, wanted.password or self._make_up(number))
        else:
            secrets = before.secrets
        previous = None
        if before is not None:
            previous = before.previous_secrets if secrets == before.secrets else before.secrets
        return replace(blank, secrets=secrets, previous_secrets=previous, **wanted.values)

    # -- outside lines ------------------------------------------------------------------------------------------

    def _new_trunks(self) -> tuple[list[Trunk], list[str]]:
        current = {each.name: each for each in self.rows.trunks.all()}
        fresh = []
        for name, wanted in self.wanted.trunks.items():
            before = current.get(name)
            kept = before.password if before is not None else None
            after = wanted if wanted.password is not None else replace(wanted, password=kept)
            if after.registers and not (after.username and after.password):
                raise RefusedError(
                    f"trunk.{name}: it registers and has no login", 'give it username = "..." and password = "..."'
                )
            self._compare(f"trunk {name}", before, after, _TRUNK_FIELDS)
            fresh.append(after)
        cut = sorted(current.keys() - self.wanted.trunks.keys())
        self._note_removed("trunk", cut)
        return fresh, cut

    # -- operators ----------------------------------------------------------------------------------------------

    def _new_operators(self) -> tuple[list[Operator], list[str]]:
        current = {each.login: each for each in self.rows.operators.all()}
        fresh = []
        for login, wanted in self.wanted.operators.items():
            before = current.get(login)
            after = Operator(
                login, wanted.role, self._password_hash(login, wanted, before), wanted.keys, wanted.extension
            )
            self._compare(f"operator {login}", before, after, _OPERATOR_FIELDS)
            fresh.append(after)
        gone = sorted(current.keys() - self.wanted.operators.keys())
        self._note_removed("operator", gone)
        return fresh, gone

    def _password_hash(self, login: str, wanted: WantedOperator, before: Operator | None) -> str | None:
        if wanted.password_hash is not None:
            return wanted.password_hash
        if wanted.password is not None:
            stored = before.password_hash if before else None
            return stored if stored and matches(wanted.password, stored) else hash_password(wanted.password)
        if before is not None:
            return before.password_hash
        return None if wanted.keys else hash_password(self._make_up(login))

    # -- the site -----------------------------------------------------------------------------------------------

    def _change_realm(self, realm: str) -> None:
        before = self.rows.site.find("realm")
        if realm != before:
            self.report.append(ImportChange("~", "site", f"realm: {before} → {realm}"))
            if not self.is_dry:
                self.rows.site.put("realm", realm)

    def _change_params(self) -> None:
        before, wanted = self.rows.params.all(), self.wanted.params
        for name in sorted(PARAMS.keys() & (before.keys() | wanted.keys())):
            param = PARAMS[name]
            if param.is_secret and name not in wanted:
                continue  # a file without secrets keeps those that there are
            default = param_text(param.default)
            old, new = before.get(name, default), wanted.get(name, default)
            if old != new:
                told = "another" if param.is_secret else f"{old} → {new}"
                self.report.append(ImportChange("~", f"param {name}", told))
            if not self.is_dry:
                if name in wanted:
                    self.rows.params.put(name, new)
                else:
                    self.rows.params.remove(name)

    # -- what is told -------------------------------------------------------------------------------------------

    def _make_up(self, account: str) -> str:
        password = make_password()
        self.passwords.append(NewPassword(account, password))
        return password

    def _compare(self, what: str, before: Any, after: Any, names: Mapping[str, str]) -> None:
        """Note what differs; of anything secret only that it does."""
        if before is None:
            self.report.append(ImportChange("+", what, getattr(after, "name", None) or ""))
            return
        changes = [
            f"{said} changes" if name in _SECRET else f"{said}: {_words(old)} → {_words(new)}"
            for name, said in names.items()
            if (old := getattr(before, name)) != (new := getattr(after, name))
        ]
        if changes:
            self.report.append(ImportChange("~", what, "; ".join(changes)))

    def _note_removed(self, kind: str, names: Iterable[str]) -> None:
        self.report.extend(ImportChange("-", f"{kind} {name}", "") for name in names)


_SECRET = frozenset({"secrets", "password_hash", "password", "voicemail_pin"})
_TRUNK_FIELDS = {each.name: each.name for each in fields(Trunk) if each.name != "name"}
_EXTENSION_FIELDS = {
    each.name: "password" if each.name == "secrets" else each.name
    for each in fields(Extension)
    if each.name not in ("number", "previous_secrets")
}
_OPERATOR_FIELDS = {
    each.name: "password" if each.name == "password_hash" else each.name
    for each in fields(Operator)
    if each.name != "login"
}


def _words(value: Any) -> str:
    if isinstance(value, tuple | frozenset):
        return ", ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
