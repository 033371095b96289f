"""Verbs that look something up, remember it or switch it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine.core.errors import RefusedError
from engine.core.text import may_be_number
from engine.pbx.errands import Errand
from engine.pbx.in_service import InService
from engine.pbx.rights import may_forward
from engine.pbx.routing.table import table_of
from engine.store.outside import Night

LONGEST_VALUE = 4096
_KEY = re.compile(r"[A-Za-z0-9_.*#+-]{1,64}")
_REASONS = ("always", "busy", "no_answer", "unreachable")


async def get(at: InService, asked: Mapping[str, Any]) -> None:
    at.over(at.exchange.keeper.recall(at.service, asked.get("of") or "", asked["key"]))


async def put(at: InService, asked: Mapping[str, Any]) -> None:
    """Remember a value of the service, or of an extension with ``of``; nothing forgets it."""
    key, value = asked["key"], asked.get("value")
    if not _KEY.fullmatch(key):
        at.over(failure="the key must be 1 to 64 letters, digits and signs")
    elif len(str(value)) > LONGEST_VALUE:
        at.over(failure=f"the value is longer than {LONGEST_VALUE} characters")
    else:
        at.exchange.keeper.remember(at.service, asked.get("of") or "", key, value)
        at.over()


async def extension(at: InService, asked: Mapping[str, Any]) -> None:
    """What is known of an extension: a table, or nothing when there is none."""
    configuration = at.exchange.configuration
    found = configuration.extensions.get(asked["number"])
    if found is None:
        at.over(None)
        return
    known = {
        "number": found.number,
        "name": found.name,
        "lamp": at.exchange.lamps.lamp(found.number).value,
        "dnd": found.dnd,
        "forward_always": found.forward_always,
        "forward_busy": found.forward_busy,
        "forward_no_answer": found.forward_no_answer,
        "forward_unreachable": found.forward_unreachable,
        "email": found.email,
        "has_pin": found.voicemail_pin is not None,
        "rights": sorted(found.rights),
        "pickup_groups": [
            each.number for each in configuration.groups.values()
            if each.kind == "pickup" and found.number in each.members
        ],
    }  # fmt: skip
    at.over({key: value for key, value in known.items() if value is not None})


async def group(at: InService, asked: Mapping[str, Any]) -> None:
    """A group, its members in the order in which a hunt group would ring them now; nothing when there is none."""
    found = at.exchange.configuration.groups.get(asked["number"])
    if found is None:
        at.over(None)
        return
    members = at.exchange.hunting.in_order(found, at.exchange.lamps)
    at.call.group = found.number
    at.call.touch()
    at.over({
        "number": found.number,
        "kind": found.kind.value,
        "order": found.order.value,
        "timeout": found.timeout,
        "members": list(members),
    })  # fmt: skip


async def presence(at: InService, asked: Mapping[str, Any]) -> None:
    """The lamp of an extension; nothing when there is none."""
    lamp = at.exchange.lamps.all().get(asked["number"])
    at.over(None if lamp is None else lamp.value)


async def holds(at: InService, asked: Mapping[str, Any]) -> None:
    """Whether a schedule holds now; a failure when there is none."""
    configuration, name = at.exchange.configuration, asked["schedule"]
    if name == "night":
        at.over(configuration.night is Night.ON)
    elif name not in configuration.schedules:
        at.over(failure="there is no such schedule")
    else:
        at.over(table_of(configuration).holds(name, at.exchange.clock.wall()))


async def time_of_day(at: InService, asked: Mapping[str, Any]) -> None:
    """The office's own time: hour, minute, weekday (1 is Monday), date, seconds until ``at`` (HH:MM)."""
    local = table_of(at.exchange.configuration).local(
        at.exchange.clock.wall() + timedelta(seconds=asked.get("after") or 0)
    )
    told: dict[str, Any] = {
        "hour": local.hour,
        "minute": local.minute,
        "text": f"{local:%H:%M}",
        "weekday": local.isoweekday(),
        "date": f"{local:%Y-%m-%d}",
        "stamp": local.timestamp(),
    }
    wanted = asked.get("at")
    if wanted is not None:
        hour, _, minute = wanted.partition(":")
        if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
            at.over(failure="that is no time of day: use 00:00 to 23:59")
            return
        then = local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        told["wait"] = ((then - local).total_seconds() - 1) % 86400 + 1
    at.over(told)


async def forward(at: InService, asked: Mapping[str, Any]) -> None:
    """Forward the caller's calls, by its right to; no target ends that."""
    reason, target = asked["reason"], asked.get("target")
    number = asked.get("of") or (at.caller.extension.number if at.caller.extension else "")
    found = at.exchange.configuration.extensions.get(number)
    if reason not in _REASONS:
        at.over(failure=f"there is no such reason: use one of {', '.join(_REASONS)}")
    elif found is None:
        at.over(failure="only extensions are forwarded")
    elif not may_forward(found, reason):
        at.over(failure="no right to forward")
    elif target is not None and (not may_be_number(target) or target == number):
        at.over(failure="no number to forward to")
    else:
        await _change(at, number, **{f"forward_{reason}": target})


async def dnd(at: InService, asked: Mapping[str, Any]) -> None:
    """Do not disturb the caller's extension, or do again."""
    number = asked.get("of") or (at.caller.extension.number if at.caller.extension else "")
    await _change(at, number, dnd=asked["is_on"])


async def night(at: InService, asked: Mapping[str, Any]) -> None:
    """Turn the night switch (``on``, ``off`` or ``auto``), or tell where it stands."""
    wanted = asked.get("position")
    if wanted is None:
        at.over(at.exchange.configuration.night.value)
        return
    try:
        position = Night(wanted)
    except ValueError:
        at.over(failure="there is no such position: use on, off or auto")
        return
    await at.exchange.keeper.set_night(position.value)
    at.over()


async def last_dialled(at: InService, asked: Mapping[str, Any]) -> None:
    """The number that the caller's extension dialled last, codes apart; nothing when there is none."""
    known = at.exchange.last_calls.get(at.caller.number)
    at.over(known.dialled if known is not None else None)


async def last_caller(at: InService, asked: Mapping[str, Any]) -> None:
    """Who called the caller's extension last, and the id of that call; nothing when nobody has."""
    known = at.exchange.last_calls.get(at.caller.number)
    at.over({"caller": known.caller, "id": known.call} if known is not None and known.caller is not None else None)


async def later(at: InService, asked: Mapping[str, Any]) -> None:
    """Let a service ring the caller's extension (or ``of``) after some seconds; 0 takes back what was put off."""
    by, errands = at.caller.extension, at.exchange.errands
    if asked.get("of") is not None:
        by = at.exchange.configuration.extensions.get(asked["of"])
    if by is None or errands is None:
        at.over(failure="only extensions are called back")
        return
    if not asked["seconds"]:
        errands.drop(by.number, asked["service"])
    else:
        settings = asked.get("settings")
        told = {str(key): str(value) for key, value in settings.items()} if isinstance(settings, dict) else {}
        due = at.exchange.clock.wall().timestamp() + asked["seconds"]
        errands.put(Errand(by.number, asked["service"], due, told))
    at.over()


async def _change(at: InService, number: str, **fields: Any) -> None:
    try:
        await at.exchange.keeper.change_extension(number, **fields)
    except RefusedError as error:
        at.over(failure=error.what)
    else:
        at.over()
