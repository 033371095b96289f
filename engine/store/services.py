"""What the office's services need: which of them takes what, and groups of extensions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANY_NUMBER = "*"
Settings = tuple[tuple[str, str], ...]


class Point(StrEnum):
    """Where a call meets a service."""

    NUMBER = "number"
    """Its number is dialled."""
    ALWAYS = "always"
    """Before its extension rings."""
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unreachable"
    CALL_START = "call-start"
    """Before a call of an extension, or from an outside line, goes anywhere."""
    CALL_END = "call-end"
    """After a call of an extension or an outside line, without a caller."""
    SCHEDULE = "schedule"
    """At times of its own, without a caller."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """At this point a call goes to a service."""

    id: int
    number: str
    """What is dialled; one that ends with ``*`` stands for all that begin with it, too. At the other points the
    extension, or ``*`` for each; at those of a call's start and end an outside line, too."""
    service: str
    point: Point = Point.NUMBER
    plan: str | None = None
    """The dial plan in which it counts; ``None``: in each."""
    settings: Settings = ()
    """What the service is given, by name."""


DEFAULT_TIMEOUT_S = 20


class GroupKind(StrEnum):
    """What a group is for."""

    RING = "ring"
    """All members ring at once."""
    HUNT = "hunt"
    """One member rings after the other."""
    PICKUP = "pickup"
    """Members answer each other's calls."""


class HuntOrder(StrEnum):
    """Which member of a hunt group rings first."""

    LINEAR = "linear"
    LONGEST_IDLE = "longest-idle"
    ROUND_ROBIN = "round-robin"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Group:
    """Extensions under one number."""

    number: str
    kind: GroupKind
    members: tuple[str, ...] = ()
    order: HuntOrder = HuntOrder.LINEAR
    timeout: int = DEFAULT_TIMEOUT_S
    """Seconds that a member of a hunt group rings, and that a ring group rings."""


FORWARDING_CODES = (("90", "busy"), ("91", "unreachable"), ("92", "no_answer"), ("93", "always"))


def _defaults() -> tuple[Trigger, ...]:
    rows: list[tuple[str, str, Settings]] = []
    for code, reason in FORWARDING_CODES:
        rows += [
            (f"*{code}*", "forward_set", (("reason", reason),)),
            (f"*{code}#", "forward_clear", (("reason", reason),)),
            (f"*{code}", "forward_clear", (("reason", reason),)),
        ]
    rows += [
        ("*78", "disturb", (("wanted", "yes"),)),
        ("*79", "disturb", (("wanted", "no"),)),
        ("*40*", "pickup", ()),
        ("*50*", "pickup_group", ()),
        ("*70*", "park", ()),
        ("*71*", "retrieve", ()),
        ("*6*", "conference", ()),
        ("*74", "join", ()),
        ("*75*", "barge_in", ()),
        ("*97", "voicemail", ()),
        ("*97*", "voicemail", ()),
        ("*98*", "voicemail_deposit", ()),
        ("*60", "clock", ()),
        ("*61", "number_test", ()),
        ("*66", "redial", ()),
        ("*62*", "callback", ()),
        ("*55*", "wake_up", ()),
        ("*80*", "intercom", ()),
        ("*81*", "paging", ()),
        ("*33", "malicious", ()),
        ("*88*", "speed_dial", ()),
        ("*26", "night", ()),
    ]
    return tuple(
        Trigger(place, number, service, settings=settings)
        for place, (number, service, settings) in enumerate(rows, 1)
    )


DEFAULT_TRIGGERS = _defaults()
"""The codes of a new office."""
