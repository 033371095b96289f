"""A scene for services: the office with its default codes, people on phones, and what they press and hear."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from engine.media.gateway import Clip
from engine.store.services import DEFAULT_TRIGGERS, Group, GroupKind, HuntOrder, Point, Trigger
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall

CLIP_MS = 100


def set_the_scene(office: MemoryOffice) -> None:
    """The codes of a new office, and prompts of a tenth of a second each that are heard by their names."""
    office.configure(triggers=DEFAULT_TRIGGERS)
    office.office.exchange.prompts = lambda name, language: Clip(name, bytes(16 * CLIP_MS))


def has_group(office: MemoryOffice, number: str, kind: GroupKind, *members: str, **fields: Any) -> None:
    groups = {**office.configuration.groups, number: Group(number, kind, members, **fields)}
    office.configure(groups=MappingProxyType(groups))


def has_trigger(
    office: MemoryOffice, number: str, service: str, point: Point = Point.NUMBER, **settings: str
) -> None:
    row = Trigger(len(office.configuration.triggers) + 1, number, service, point, settings=tuple(settings.items()))
    office.configure(triggers=(*office.configuration.triggers, row))


def dial(office: MemoryOffice, phone: MemoryPhone, number: str) -> PhoneCall:
    call = phone.call(number)
    office.settle()
    return call


def press(office: MemoryOffice, phone: MemoryPhone, keys: str) -> None:
    """The phone presses keys, and the office does what it does at once."""
    legs = office.gateway.legs
    (leg,) = (number for number, media in legs.items() if office._owner(media) is phone)

    async def pressing() -> None:
        office.gateway.press(leg, keys)

    office.run(pressing())
    office.settle()


def hears_all(office: MemoryOffice, phone: MemoryPhone, call: PhoneCall, most_s: float = 5.0) -> list[str]:
    """What a phone hears one after the other until its call is over, or for some seconds."""
    heard: list[str] = []
    for _ in range(int(most_s * 20)):
        if call.is_over or not call.is_up:
            break
        now = office.hears(phone)
        if now not in (None, "silence") and (not heard or heard[-1] != now):
            heard.append(str(now))
        office.advance(CLIP_MS / 1000 / 2)
    return heard


def may(office: MemoryOffice, number: str, *rights: Any) -> None:
    extension = office.configuration.extensions[number]
    office.has(number, rights=extension.rights | frozenset(rights))


def in_mix_with(office: MemoryOffice, phone: MemoryPhone) -> set[str]:
    """Whom a phone hears in its mix."""
    media = office.media_of(phone)
    if media.mix is None:
        return set()
    others = [each for each in office.gateway.legs.values() if each.mix == media.mix and each is not media]
    owners = [office._owner(each) for each in others]
    return {owner.number for owner in owners if owner is not None}


__all__ = ["GroupKind", "HuntOrder", "Point", "replace"]
