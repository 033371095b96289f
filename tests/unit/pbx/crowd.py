"""A crowd in memory: one office with many pairs of people who call each other at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from engine.core.peering import ReliableProvisional
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone

A_DAY_S = 86400
KNOWLEDGE = [*ReliableProvisional, ReliableProvisional.REQUIRED]
"""What phones know of reliable provisional responses."""

Pair = tuple[MemoryPhone, list[MemoryPhone]]
"""A caller, and the one to three phones of whom it calls."""


@contextmanager
def open_office(seed: int, pairs: int, dice: Random, **params: object) -> Iterator[tuple[MemoryOffice, list[Pair]]]:
    """An office where ``pairs`` extensions are about to call as many others, every phone registered for the day."""
    office = MemoryOffice(seed)
    try:
        office.sets(registration_max_s=A_DAY_S, **params)
        policies = list(HoldPolicy)
        for place in range(pairs):
            office.has(str(100 + place), hold=dice.choice(policies))
            office.has(str(200 + place), hold=dice.choice(policies), multi_device=True)
        callers = [office.phone(str(100 + place)) for place in range(pairs)]
        called = [
            [office.phone(str(200 + place)) for _ in range(dice.choice([1, 1, 2, 3]))] for place in range(pairs)
        ]
        for phone in office.phones:
            phone.reliable = dice.choice(KNOWLEDGE)
            phone.early_sdp = dice.random() < 0.3
            phone.expires = dice.choice([0, 0, 120])
            phone.register(expires=A_DAY_S)
        office.settle()
        assert all(phone.last.status == 200 for phone in office.phones)
        yield office, list(zip(callers, called, strict=True))
    finally:
        office.close()
