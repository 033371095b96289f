"""Turns rows of any cursor into the office's values; a row that an outside hand spoilt is left out and named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar

from engine.core.ids import CallId
from engine.core.params import PARAMS
from engine.core.peering import ReliableProvisional
from engine.core.views import CallRecord, ReleasedBy
from engine.store.bindings import StoredBinding
from engine.store.configuration import Configuration, DigestSecrets, Extension, HoldPolicy, Operator, Right, Role
from engine.store.outside import Night
from engine.store.outside_reading import (
    read_address,
    read_inbound,
    read_level,
    read_route,
    read_schedule,
    read_screen,
    read_trunk,
)
from engine.store.row import Row, words
from engine.store.services_reading import read_group, read_trigger
from engine.store.subscriptions import StoredSubscription

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

Query = Callable[[str], Iterable[Row]]
"""Runs one SQL text and gives its rows."""


def read_configuration(
    query: Query, revision: int, file_params: Mapping[str, str] = MappingProxyType({})
) -> Configuration:
    """The whole configuration as it is stored now; ``file_params`` are texts that go before our defaults."""
    extensions = _readable("extension", query("SELECT * FROM extension"), read_extension)
    operators = _readable("operator", query("SELECT * FROM operator"), read_operator)
    trunks = _readable("trunk", query("SELECT * FROM trunk ORDER BY name"), read_trunk)
    levels = _readable("level", query("SELECT * FROM level ORDER BY rank, name"), read_level)
    schedules = _readable("schedule", query("SELECT * FROM schedule ORDER BY name"), read_schedule)
    groups = _readable("group", query('SELECT * FROM "group" ORDER BY length(number), number'), read_group)
    site = read_site(query)
    return Configuration(
        revision=revision,
        realm=site.get("realm", ""),
        extensions=MappingProxyType({e.number: e for e in sorted(extensions, key=_by_number)}),
        operators=MappingProxyType({o.login: o for o in sorted(operators, key=lambda o: o.login)}),
        trunks=MappingProxyType({trunk.name: trunk for trunk in trunks}),
        routes=tuple(_readable("route", query("SELECT * FROM route ORDER BY id"), read_route)),
        inbound=tuple(_readable("inbound number", query("SELECT * FROM inbound ORDER BY id"), read_inbound)),
        levels=MappingProxyType({level.name: level for level in levels}),
        schedules=MappingProxyType({schedule.name: schedule for schedule in schedules}),
        screening=tuple(_readable("screening row", query("SELECT * FROM screen ORDER BY id"), read_screen)),
        addresses=tuple(_readable("address", query("SELECT * FROM address ORDER BY network"), read_address)),
        triggers=tuple(_readable("trigger", query("SELECT * FROM trigger ORDER BY id"), read_trigger)),
        groups=MappingProxyType({group.number: group for group in groups}),
        night=_read_night(site.get("night")),
        params=MappingProxyType(_read_params(query, file_params)),
    )


def _read_night(text: str | None) -> Night:
    try:
        return Night(text) if text is not None else Night.AUTO
    except ValueError:
        _log.warning("the stored night switch is not usable; the schedules decide")
        return Night.AUTO


def read_site(query: Query) -> dict[str, str]:
    """Facts about the office: ``realm``, and ``set_up_at`` once the first run is over."""
    return {row["name"]: row["value"] for row in query("SELECT name, value FROM site")}


def read_bindings(query: Query) -> list[StoredBinding]:
    """All stored bindings, the expired ones too."""
    return list(_readable("binding", query("SELECT * FROM binding"), _read_binding))


def read_subscriptions(query: Query) -> list[StoredSubscription]:
    """All stored subscriptions, the expired ones too."""
    return list(_readable("subscription", query("SELECT * FROM subscription"), _read_subscription))


def read_extension(row: Row) -> Extension:
    """An extension; raises ``ValueError`` for words we do not know."""
    previous = DigestSecrets(row["previous_md5"], row["previous_sha256"]) if row["previous_md5"] else None
    return Extension(
        number=row["number"],
        name=row["name"],
        secrets=DigestSecrets(row["md5"], row["sha256"]),
        previous_secrets=previous,
        multi_device=bool(row["multi_device"]),
        max_devices=int(row["max_devices"]),
        max_calls=row["max_calls"],
        rights=frozenset(Right(word) for word in words(row["rights"])),
        hold=HoldPolicy(row["hold"]),
        codecs=words(row["codecs"]),
        email=row["email"],
        reliable_provisional=ReliableProvisional(row["reliable_provisional"]),
        level=row["level"],
        max_out=row["max_out"],
        outside_number=row["outside_number"],
        plan=row["plan"],
        from_network=row["from_network"],
        forward_always=row["forward_always"],
        forward_busy=row["forward_busy"],
        forward_no_answer=row["forward_no_answer"],
        forward_unreachable=row["forward_unreachable"],
        dnd=bool(row["dnd"]),
        voicemail_pin=row["voicemail_pin"],
    )


def read_operator(row: Row) -> Operator:
    """An operator; raises ``ValueError`` for a role we do not know."""
    return Operator(
        login=row["login"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        keys=tuple(row["keys"].splitlines()),
        extension=row["extension"],
    )


def read_record(row: Row) -> CallRecord:
    """A call record as it was put."""
    return CallRecord(
        id=CallId(row["id"]),
        linked_id=CallId(row["linked_id"]),
        caller=row["caller"],
        callee=row["callee"],
        started_at=_moment(row["started_at"]),
        ended_at=_moment(row["ended_at"]),
        released_by=ReleasedBy(row["released_by"]),
        cause=row["cause"],
        answered_at=None if row["answered_at"] is None else _moment(row["answered_at"]),
        trunk_in=row["trunk_in"],
        trunk_out=row["trunk_out"],
        codec=row["codec"],
        mos=row["mos"],
        recording=row["recording"],
    )


def _read_binding(row: Row) -> StoredBinding:
    plain = (
        "extension", "contact", "call_id", "cseq", "transport", "local_host", "local_port",
        "source_host", "source_port", "q", "instance", "user_agent", "reg_id",
    )  # fmt: skip
    return StoredBinding(
        expires_at=_moment(row["expires_at"]),
        registered_at=_moment(row["registered_at"]),
        path=tuple(row["path"].split("\n")) if row["path"] else (),
        **{name: row[name] for name in plain},
    )


def _read_subscription(row: Row) -> StoredSubscription:
    plain = (
        "call_id", "local_tag", "event", "event_id", "watched", "watcher", "local_address", "remote_address",
        "remote_tag", "remote_target", "cseq", "remote_cseq", "version", "contact", "transport", "local_host",
        "local_port", "remote_host", "remote_port",
    )  # fmt: skip
    return StoredSubscription(
        is_list=bool(row["is_list"]),
        routes=tuple(row["routes"].split("\n")) if row["routes"] else (),
        granted_at=_moment(row["granted_at"]),
        expires_at=_moment(row["expires_at"]),
        **{name: row[name] for name in plain},
    )


def _read_params(query: Query, file_params: Mapping[str, str]) -> dict[str, Any]:
    values = {name: param.default for name, param in PARAMS.items()}
    values |= {name: PARAMS[name].read(text) for name, text in file_params.items()}
    for row in query("SELECT name, value FROM param"):
        param = PARAMS.get(row["name"])
        try:
            if param is not None:
                values[param.name] = param.read(row["value"])
        except (ValueError, TypeError, AttributeError) as error:
            _log.warning("stored parameter %s is not usable, its default is used: %s", row["name"], error)
    return values


def _readable(kind: str, rows: Iterable[Row], read: Callable[[Row], _T]) -> Iterable[_T]:
    for row in rows:
        try:
            yield read(row)
        except (ValueError, TypeError, AttributeError) as error:
            _log.warning("a stored %s is not usable and left out: %s", kind, error)


def _by_number(extension: Extension) -> tuple[int, str]:
    return len(extension.number), extension.number


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
