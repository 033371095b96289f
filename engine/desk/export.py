"""The whole configuration as TOML that people can read and edit, in an order that never changes by itself."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from engine.core.params import PARAMS, param_text
from engine.desk.documents import inbound_document, moment_text, route_document, trunk_settings
from engine.store.configuration import Configuration, Extension, Operator
from engine.store.outside import InboundRule, RouteRule, ScreenRow, Trunk
from engine.store.services import Group, Point, Trigger

FORMAT = 1
_WORD = re.compile(r"[A-Za-z0-9_-]+")
UNLIMITED = "unlimited"

_HEAD = """\
# The configuration of {office}, written by Frontdesk {version} on {at}.
# 'frontdesk import FILE' replaces the whole configuration by this file, or nothing at all;
# --dry-run shows what would change.
{about_secrets}
"""
_WITHOUT_SECRETS = """\
# Passwords are not in it: an import keeps those that exist, and makes one up for whoever is new.
# To set one, add  password = "..."  to an extension or operator."""
_WITH_SECRETS = """\
# The hashes of all passwords are in it: keep it where nobody else reads it.
# To set a password, replace them by  password = "..." ."""


def export_text(configuration: Configuration, *, with_secrets: bool, version: str, at: datetime) -> str:
    """The file that ``frontdesk export`` writes."""
    office = str(configuration.params["office_name"]).replace("\n", " ")
    about = _WITH_SECRETS if with_secrets else _WITHOUT_SECRETS
    head = _HEAD.format(office=office, version=version, at=moment_text(at), about_secrets=about)
    site = {"realm": configuration.realm} if with_secrets else {}
    top = f'format = {FORMAT}\nnight = "{configuration.night.value}"\n'
    if not configuration.triggers:
        top += "trigger = []\n"
    parts = [head + top, _params(configuration, with_secrets)]
    if site:
        parts.append(_table("site", site))
    parts += [
        _table(f"extension.{number}", extension_table(extension, with_secrets))
        for number, extension in configuration.extensions.items()
    ]
    parts += [
        _table(f"trunk.{_key(name)}", trunk_table(trunk, with_secrets))
        for name, trunk in configuration.trunks.items()
    ]
    parts += _routing(configuration)
    parts += [
        _table(
            f"operator.{_key(login)}",
            operator_table(operator, with_secrets),
        )
        for login, operator in configuration.operators.items()
    ]
    return "\n".join(parts)


def extension_table(extension: Extension, with_secrets: bool) -> dict[str, Any]:
    """One extension; what is empty is left out."""
    table: dict[str, Any] = {
        "name": extension.name,
        "multi_device": extension.multi_device,
        "max_devices": extension.max_devices,
        "max_calls": extension.max_calls if extension.max_calls is not None else UNLIMITED,
        "rights": sorted(right.value for right in extension.rights),
        "hold": extension.hold.value,
        "codecs": list(extension.codecs) or None,
        "email": extension.email,
        "reliable_provisional": extension.reliable_provisional.value,
        "level": extension.level,
        "max_out": extension.max_out if extension.max_out is not None else UNLIMITED,
        "outside_number": extension.outside_number,
        "plan": extension.plan,
        "from_network": extension.from_network,
        "forward_always": extension.forward_always,
        "forward_busy": extension.forward_busy,
        "forward_no_answer": extension.forward_no_answer,
        "forward_unreachable": extension.forward_unreachable,
        "dnd": extension.dnd or None,
    }
    if with_secrets:
        table["voicemail_pin"] = extension.voicemail_pin
        table["md5"], table["sha256"] = extension.secrets.md5, extension.secrets.sha256
    return {key: value for key, value in table.items() if value is not None}


def trunk_table(trunk: Trunk, with_secrets: bool) -> dict[str, Any]:
    """One outside line; what is empty is left out, and so is its password unless secrets are asked for."""
    table = trunk_settings(trunk)
    del table["name"]
    for name in ("max_in", "max_out"):
        table[name] = UNLIMITED if table[name] is None else table[name]
    if with_secrets:
        table["password"] = trunk.password
    return {key: value for key, value in table.items() if value not in (None, [])}


def route_table(rule: RouteRule) -> dict[str, Any]:
    """One route; what has its default is left out."""
    return _unlike(route_document(rule), route_document(RouteRule(0, "")))


def inbound_table(rule: InboundRule) -> dict[str, Any]:
    """One inbound number; what is empty is left out."""
    return _unlike(inbound_document(rule), inbound_document(InboundRule(0, "", "")))


def trigger_table(trigger: Trigger) -> dict[str, Any]:
    """What leads to a service; what has its default is left out."""
    table: dict[str, Any] = {"number": trigger.number, "service": trigger.service}
    if trigger.point is not Point.NUMBER:
        table["point"] = trigger.point.value
    if trigger.plan is not None:
        table["plan"] = trigger.plan
    if trigger.settings:
        table["settings"] = [f"{name}={value}" for name, value in trigger.settings]
    return table


def group_table(group: Group) -> dict[str, Any]:
    """One group."""
    return {
        "kind": group.kind.value,
        "members": list(group.members),
        "order": group.order.value,
        "timeout": group.timeout,
    }


def screen_table(row: ScreenRow) -> dict[str, Any]:
    """One row of the black and white list."""
    rate = {} if row.is_white else {"rate": row.rate}
    return {"caller": row.caller, "called": row.called, **rate, **({"white": True} if row.is_white else {})}


def operator_table(operator: Operator, with_secrets: bool) -> dict[str, Any]:
    """One operator; what is empty is left out."""
    table: dict[str, Any] = {
        "role": operator.role.value,
        "extension": operator.extension,
        "keys": list(operator.keys) or None,
    }
    if with_secrets:
        table["password_hash"] = operator.password_hash
    return {key: value for key, value in table.items() if value is not None}


def param_value(value: Any) -> Any:
    """A parameter's value in TOML's own types."""
    return list(value) if isinstance(value, tuple) else value if isinstance(value, int) else param_text(value)


def _routing(configuration: Configuration) -> list[str]:
    parts = []
    if configuration.levels:
        parts.append(_table("level", {name: level.rank for name, level in configuration.levels.items()}))
    for name, schedule in configuration.schedules.items():
        hours: dict[str, Any] = {"when": schedule.when, "holidays": list(schedule.holidays)}
        parts.append(_table(f"schedule.{_key(name)}", {key: value for key, value in hours.items() if value}))
    parts += [_table("[route]", route_table(rule)) for rule in configuration.routes]
    parts += [_table("[inbound]", inbound_table(rule)) for rule in configuration.inbound]
    parts += [_table(f"group.{number}", group_table(group)) for number, group in configuration.groups.items()]
    parts += [_table("[trigger]", trigger_table(trigger)) for trigger in configuration.triggers]
    parts += [_table("[screen]", screen_table(row)) for row in configuration.screening]
    addresses: dict[str, Any] = {
        "allow": [row.network for row in configuration.addresses if row.is_white],
        "block": [row.network for row in configuration.addresses if not row.is_white],
    }
    if configuration.addresses:
        parts.append(_table("address", {key: value for key, value in addresses.items() if value}))
    return parts


def _unlike(table: dict[str, Any], blank: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "id" and value != blank[key]}


def _params(configuration: Configuration, with_secrets: bool) -> str:
    """Every parameter under what it is for; one that has its default as a comment."""
    lines = ["[param]"]
    for name, param in sorted(PARAMS.items()):
        value = configuration.params[name]
        if param.is_secret and not with_secrets:
            value = param.default
        mark = "# " if value == param.default else ""
        lines += [f"# {param.help}", f"{mark}{_toml({name: param_value(value)})}".rstrip()]
    return "\n".join(lines) + "\n"


def _table(name: str, table: dict[str, Any]) -> str:
    return f"[{name}]\n{_toml(table)}"


def _key(name: str) -> str:
    """A login or a trunk's name as a part of a table's name: neither has anything that needs more than quotes."""
    return name if _WORD.fullmatch(name) else f'"{name}"'


def _toml(table: dict[str, Any]) -> str:
    """Keys and values; a list of plain words stays on its line."""
    import tomli_w  # only an export pays for it

    lines = []
    for key, value in table.items():
        if isinstance(value, list) and all(_WORD.fullmatch(item) for item in value):
            quoted = ", ".join(f'"{item}"' for item in value)
            lines.append(f"{key} = [{quoted}]\n")
        else:
            lines.append(tomli_w.dumps({key: value}, indent=2))
    return "".join(lines)
