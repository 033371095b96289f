"""An outside line as it is typed in the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.errors import RefusedError
from engine.core.peering import Identity, ReliableProvisional
from engine.core.views import TrunkView
from engine.desk.commands import Command
from engine.desk.dialling import Checked, Flaw
from engine.desk.lines import AddTrunk, ListTrunks, RemoveTrunk, SetTrunk, TrunkFields
from engine.desk.trunk_checks import CLEARABLE, check_trunk_name, check_whole_trunk
from engine.desk.trunk_commands import CHECKS
from engine.store.outside import Preset, Srtp, Trunk, TrunkTransport
from tui.kind import Ask, Field, Kind, Values
from tui.texts import N_, _

_NUMBERS = ("port", "max_in", "max_out", "reserve_emergency", "over_limit")
_LISTS = ("addresses", "codecs")
_WORDS: dict[str, Callable[[str], Any]] = {
    "transport": TrunkTransport,
    "reliable_provisional": ReliableProvisional,
    "identity": Identity,
    "preset": Preset,
    "srtp": Srtp,
}
_TICKS = ("registers", "is_trusted")


class Lines(Kind):
    """The form for a trunk; ``item`` is the ``Trunk`` without its password."""

    title = N_("Trunks")
    new_title = N_("New trunk")
    fields = (
        Field("name", N_("Name"), N_("such as telekom")),
        Field("host", N_("Host"), N_("such as sip.example.org, or an address")),
        Field("port", N_("Port"), N_("empty: as its DNS says")),
        Field("transport", N_("Transport"), "udp, tcp, tls, auto"),
        Field("registers", N_("Registers with a login"), is_tick=True),
        Field("username", N_("User name"), N_("the carrier's")),
        Field("password", N_("Password"), N_("empty: stays as it is"), is_secret=True),
        Field("proxy", N_("Outbound proxy"), N_("may stay empty")),
        Field("addresses", N_("Calls come from"), N_("networks beside the host's own")),
        Field("max_in", N_("Calls in at once"), N_("empty: unlimited; 0: none")),
        Field("max_out", N_("Calls out at once"), N_("empty: unlimited; 0: none")),
        Field("reserve_emergency", N_("Kept for emergencies"), N_("of the calls out")),
        Field("over_limit", N_("Beyond the limit"), N_("486, or 503")),
        Field("reliable_provisional", N_("Reliable ringing"), "off, supported, required"),
        Field("identity", N_("Caller is told in"), "pai, ppi, rpid, from"),
        Field("preset", N_("Habits"), "plain, ims"),
        Field("codecs", N_("Codecs"), N_("empty: the office's")),
        Field("is_trusted", N_("Trusted network"), is_tick=True),
    )
    listing = ListTrunks

    def key(self, item: Trunk | TrunkView) -> str:
        return item.name

    def name(self, item: Trunk | TrunkView) -> str:
        return _("trunk {name}").format(name=item.name)

    def values(self, item: Trunk | None) -> dict[str, str | bool]:
        trunk = item or Trunk("", "")
        values: dict[str, str | bool] = {}
        for field in self.fields:
            value = getattr(trunk, field.name)
            if field.is_tick:
                values[field.name] = bool(value)
            elif field.name in _LISTS:
                values[field.name] = ", ".join(value)
            else:
                values[field.name] = "" if value is None or field.is_secret else str(value)
        return values

    async def check(self, ask: Ask, values: Values, item: Trunk | None) -> Checked:
        flaws = []
        made: dict[str, Any] = {}
        if item is None:
            try:
                check_trunk_name(str(values["name"]).strip())
            except RefusedError as error:
                flaws.append(Flaw("name", error.what, error.mend))
        for field in self.fields[1:]:
            try:
                made[field.name] = _read(field.name, values[field.name])
            except RefusedError as error:
                flaws.append(Flaw(field.name, error.what, error.mend))
        if not str(values["host"]).strip() and not any(flaw.field == "host" for flaw in flaws):
            flaws.append(Flaw("host", _("it has no host"), ""))
        if not flaws:
            flaws += _misfits(item or Trunk(str(values["name"]).strip(), ""), made)
        return Checked(tuple(flaws))

    def save(self, values: Values, item: Trunk | None) -> Command:
        before = self.values(item)
        given: dict[str, Any] = {}
        cleared = set()
        for field in self.fields[1:]:
            if values[field.name] == before[field.name] and not (field.is_secret and values[field.name]):
                continue
            value = _read(field.name, values[field.name])
            if value in (None, ()) and field.name in CLEARABLE:
                cleared.add(field.name)
            else:
                given[field.name] = value
        fields = TrunkFields(**given, clear=frozenset(cleared))
        return SetTrunk(item.name, fields) if item else AddTrunk(str(values["name"]).strip(), fields)

    def remove(self, item: Trunk | TrunkView) -> Command:
        return RemoveTrunk(item.name)


def _read(name: str, typed: str | bool) -> Any:
    """The value of a field; ``None`` for an empty one. Raises ``RefusedError``."""
    if isinstance(typed, bool):
        return typed
    text = typed.strip()
    if not text:
        return () if name in _LISTS else _DEFAULTS.get(name)
    value: Any = text
    if name in _NUMBERS:
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise RefusedError(f"'{text}' is no whole number", "use digits alone")
        value = int(text)
    elif name in _LISTS:
        value = tuple(word for word in re.split(r"[,\s]+", text) if word)
    elif name in _WORDS:
        try:
            value = _WORDS[name](text.lower())
        except ValueError:
            raise RefusedError(f"'{text}' is not known", f"use one of {', '.join(_words(name))}") from None
    return CHECKS[name](value) if name in CHECKS else value


_DEFAULTS = {
    each: getattr(Trunk("", ""), each)
    for each in ("transport", "reserve_emergency", "over_limit", "reliable_provisional", "identity", "preset")
}


def _words(name: str) -> tuple[str, ...]:
    return tuple(str(word.value) for word in _WORDS[name])  # type: ignore[attr-defined]


def _misfits(trunk: Trunk, made: dict[str, Any]) -> list[Flaw]:
    """What does not fit together; a trunk that has registered keeps its password."""
    password = made["password"] or ("kept" if trunk.registers else None)
    try:
        check_whole_trunk(replace(trunk, **{**made, "password": password}))
    except RefusedError as error:
        field = "username" if "login" in error.what else "reserve_emergency"
        return [Flaw(field, error.what, error.mend)]
    return []
