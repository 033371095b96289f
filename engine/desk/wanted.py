"""Reads a configuration file: what it wants of the office, every value checked, mistakes named by line and key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import Any

from engine.core.errors import RefusedError
from engine.core.params import param_named, param_text
from engine.core.peering import Identity, ReliableProvisional
from engine.desk.checks import (
    FORWARDS,
    check_codecs,
    check_email,
    check_key,
    check_login,
    check_max_calls,
    check_max_devices,
    check_max_out,
    check_name,
    check_number,
    check_operator_password,
    check_outside_number,
    check_phone_password,
    check_pin,
    check_right,
    check_target,
)
from engine.desk.export import FORMAT, UNLIMITED
from engine.desk.routing_checks import DEFAULT_PLAN, Known, check_word
from engine.desk.toml_walk import Walk, lines_of_keys, of_type, shown, texts, word
from engine.desk.trunk_checks import check_network, check_trunk_name, check_whole_trunk
from engine.desk.trunk_commands import CHECKS
from engine.desk.wanted_routing import ROUTING_TABLES, RoutingReader, WantedRouting
from engine.store.configuration import DigestSecrets, HoldPolicy, Role
from engine.store.outside import Preset, Srtp, Trunk, TrunkTransport

MOST_KEYS = 20
_TABLES = ("format", "param", "site", "extension", "trunk", *ROUTING_TABLES, "night", "operator")
_REALM = re.compile(r"(?! )[ !#-\[\]-~]{1,64}(?<! )")
_HEX = re.compile(r"[0-9a-f]+")
_SCRYPT = re.compile(r"scrypt\$\d+\$\d+\$\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class WantedExtension:
    """An extension as the file has it; at most one of ``password`` and ``secrets`` is given."""

    values: dict[str, Any]
    """Fields of ``Extension``; what the file leaves out has its default."""
    password: str | None = field(repr=False, default=None)
    secrets: DigestSecrets | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class WantedOperator:
    """An operator as the file has them; at most one of ``password`` and ``password_hash`` is given."""

    role: Role
    extension: str | None
    keys: tuple[str, ...]
    password: str | None = field(repr=False, default=None)
    password_hash: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A whole configuration."""

    realm: str | None
    params: dict[str, str]
    """Texts of the parameters that differ from their default."""
    extensions: dict[str, WantedExtension]
    trunks: dict[str, Trunk]
    """One without a password keeps the one that it has."""
    routing: WantedRouting
    operators: dict[str, WantedOperator]


def read_wanted(text: str, services: frozenset[str] | None = None) -> Wanted:
    """What a configuration file wants; raises ``RefusedError`` that names line, key and mend.

    ``services`` are those that there are; ``None`` lets a route lead to any.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number or a nesting beyond what Python reads
        raise RefusedError(f"the file is no TOML: {error}", "mend that place and import it again") from None
    return _Reader(lines_of_keys(text)).read(document, services)


class _Reader(Walk):
    """Reads one document."""

    def read(self, document: dict[str, Any], services: frozenset[str] | None) -> Wanted:
        self._only(document, "", _TABLES)
        with self._at("", "format"):
            if "format" not in document:
                raise RefusedError(
                    f"the line 'format = {FORMAT}' is missing", "name a file that 'frontdesk export' wrote"
                )
            if document["format"] != FORMAT:
                raise RefusedError(f"its format is {document['format']}", f"this Frontdesk reads format {FORMAT}")
        site = self._table(document, "", "site")
        self._only(site, "site", ("realm",))
        extensions = self._each(document, "extension", self._extension)
        trunks = self._each(document, "trunk", self._trunk)
        levels = {wanted.values["level"]: number for number, wanted in extensions.items()}
        known = Known(frozenset(trunks), dict.fromkeys(extensions), services=services)
        routing = RoutingReader(self._lines).read(document, known, levels)
        operators = self._each(document, "operator", self._operator)
        for login, operator in operators.items():
            if operator.extension is not None and operator.extension not in extensions:
                with self._at(f"operator.{login}", "extension"):
                    raise RefusedError(f"there is no extension {operator.extension}", "add it, or name another")
        realm = self._checked(site, "site", "realm", _checked_realm)
        return Wanted(realm, self._params(document), extensions, trunks, routing, operators)

    # -- tables -------------------------------------------------------------------------------------------------

    def _params(self, document: dict[str, Any]) -> dict[str, str]:
        texts = {}
        for name, value in self._table(document, "", "param").items():
            with self._at("param", name):
                param = param_named(name)
                said = ",".join(map(str, value)) if isinstance(value, list) else str(value)
                parsed = param.parse(said)
                if parsed != param.default:
                    texts[name] = param_text(parsed)
        return texts

    def _extension(self, number: str, table: dict[str, Any]) -> WantedExtension:
        place = f"extension.{number}"
        with self._at(place, ""):
            check_number(number)
        self._only(table, place, _EXTENSION_KEYS)
        values: dict[str, Any] = {
            "name": self._checked(table, place, "name", check_name),
            "email": self._checked(table, place, "email", check_email),
            "level": self._checked(table, place, "level", lambda text: check_word(text, "level")),
            "outside_number": self._checked(table, place, "outside_number", check_outside_number),
            "plan": self._checked(table, place, "plan", lambda text: check_word(text, "plan")) or DEFAULT_PLAN,
            "from_network": self._checked(table, place, "from_network", check_network),
        }
        if "reliable_provisional" in table:
            with self._at(place, "reliable_provisional"):
                values["reliable_provisional"] = word(ReliableProvisional, table["reliable_provisional"])
        limits = (("max_devices", check_max_devices), ("max_calls", check_max_calls), ("max_out", check_max_out))
        for key, check in limits:
            if key in table:
                with self._at(place, key):
                    is_free = key != "max_devices" and table[key] == UNLIMITED
                    values[key] = None if is_free else check(of_type(table[key], int, "a whole number"))
        if "multi_device" in table:
            with self._at(place, "multi_device"):
                values["multi_device"] = of_type(table["multi_device"], bool, "true or false")
        for key in FORWARDS:
            values[key] = self._checked(table, place, key, check_target)
        if "dnd" in table:
            with self._at(place, "dnd"):
                values["dnd"] = of_type(table["dnd"], bool, "true or false")
        if "voicemail_pin" in table:
            values["voicemail_pin"] = self._checked(table, place, "voicemail_pin", check_pin)
        if "hold" in table:
            with self._at(place, "hold"):
                values["hold"] = word(HoldPolicy, table["hold"])
        with self._at(place, "rights"):
            values["rights"] = frozenset(check_right(each) for each in texts(table.get("rights", [])))
        with self._at(place, "codecs"):
            values["codecs"] = check_codecs(texts(table.get("codecs", [])))
        password = self._checked(table, place, "password", lambda text: check_phone_password(number, text))
        return WantedExtension(values, password, self._secrets(table, place, password))

    def _secrets(self, table: dict[str, Any], place: str, password: str | None) -> DigestSecrets | None:
        given = [key for key in ("md5", "sha256") if key in table]
        if not given:
            return None
        with self._at(place, given[0]):
            if password is not None:
                raise RefusedError("a password and its hash are both given", "keep one of them")
            hashes = [of_type(table.get(key), str, "a hash") for key in ("md5", "sha256")]
            if not all(
                _HEX.fullmatch(each) and len(each) == size for each, size in zip(hashes, (32, 64), strict=True)
            ):
                raise RefusedError("this is no hash of a password", 'give a password instead: password = "..."')
            return DigestSecrets(*hashes)

    def _trunk(self, name: str, table: dict[str, Any]) -> Trunk:
        place = f"trunk.{name}"
        with self._at(place, ""):
            check_trunk_name(name)
        self._only(table, place, tuple(_TRUNK_KEYS))
        values: dict[str, Any] = {}
        for key, kind in _TRUNK_KEYS.items():
            if key not in table or (key in ("max_in", "max_out") and table[key] == UNLIMITED):
                continue
            with self._at(place, key):
                value = self._trunk_value(kind, table[key])
                values[key] = CHECKS[key](value) if key in CHECKS else value
        with self._at(place, "host"):
            if "host" not in values:
                raise RefusedError("it has no host", 'give it host = "sip.example.org"')
        with self._at(place, ""):
            made = Trunk(name=name, **values)
            # without a password it keeps the one that is stored, which is looked at when both are known
            check_whole_trunk(made if made.password else replace(made, password="kept"))  # noqa: S106
            return made

    def _trunk_value(self, kind: Any, given: Any) -> Any:
        if kind is tuple:
            return texts(given)
        return word(kind, given) if kind in _TRUNK_WORDS else of_type(given, kind, _SAID[kind])

    def _operator(self, login: str, table: dict[str, Any]) -> WantedOperator:
        place = f"operator.{login}"
        with self._at(place, ""):
            check_login(login)
        self._only(table, place, _OPERATOR_KEYS)
        with self._at(place, "role"):
            role = word(Role, table.get("role", Role.RECEPTIONIST.value))
        with self._at(place, "keys"):
            keys = tuple(dict.fromkeys(check_key(line) for line in texts(table.get("keys", []))))
            if len(keys) > MOST_KEYS:
                raise RefusedError(f"there are {len(keys)} keys", f"keep at most {MOST_KEYS}")
        password = self._checked(table, place, "password", lambda text: check_operator_password(login, text))
        hashed = self._text(table, place, "password_hash")
        with self._at(place, "password_hash"):
            if hashed is not None and password is not None:
                raise RefusedError("a password and its hash are both given", "keep one of them")
            if hashed is not None and not _SCRYPT.fullmatch(hashed):
                raise RefusedError("this is no hash of a password", 'give a password instead: password = "..."')
        return WantedOperator(role, self._text(table, place, "extension"), keys, password, hashed)


_EXTENSION_KEYS = (
    "name", "multi_device", "max_devices", "max_calls", "rights", "hold", "codecs", "email", "reliable_provisional",
    "level", "max_out", "outside_number", "plan", "from_network", *FORWARDS, "dnd", "voicemail_pin", "password",
    "md5", "sha256",
)  # fmt: skip
_TRUNK_KEYS: dict[str, Any] = {
    "host": str,
    "port": int,
    "transport": TrunkTransport,
    "registers": bool,
    "username": str,
    "password": str,
    "proxy": str,
    "addresses": tuple,
    "max_in": int,
    "max_out": int,
    "reserve_emergency": int,
    "reliable_provisional": ReliableProvisional,
    "new_call_id": bool,
    "identity": Identity,
    "preset": Preset,
    "srtp": Srtp,
    "over_limit": int,
    "codecs": tuple,
    "is_trusted": bool,
}
"""Of what kind each field of a trunk is."""
_TRUNK_WORDS = (TrunkTransport, ReliableProvisional, Identity, Preset, Srtp)
_SAID: dict[Any, str] = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
_OPERATOR_KEYS = ("role", "extension", "keys", "password", "password_hash")


def _checked_realm(realm: str) -> str:
    """A realm stands in quotes in every challenge and is typed into phones."""
    if not _REALM.fullmatch(realm):
        raise RefusedError(
            f"{shown(realm)} is no realm", "use at most 64 letters, digits and signs, no quotes and no backslashes"
        )
    return realm
