"""What may be said of routes, inbound numbers and whatever they name, and the words that refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.core.paths import LUA
from engine.pbx.service import service_names
from engine.store.configuration import Extension
from engine.store.outside import ANY, InboundRule, RouteRule

if TYPE_CHECKING:
    from engine.store.rows import Rows

DEFAULT_PLAN = "default"
HIGHEST_RANK = 9999
_MOST_DIGITS = 32
_DIALLED = re.compile(r"\+?[0-9*#]{1,32}")
_ANY_NUMBER = re.compile(r"[0-9A-Za-z+*#._-]{1,32}")
_NAME = re.compile(r"\w[\w.-]{0,31}")
_TARGETS = ("trunks", "extension", "group", "service")


@dataclass(frozen=True, slots=True)
class Known:
    """What a route may name."""

    trunks: frozenset[str] = frozenset()
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    levels: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Rows, folder: Path) -> Known:
        """As it stands inside a transaction; ``folder`` is the state folder."""
        return cls(
            trunks=frozenset(each.name for each in rows.trunks.all()),
            extensions={each.number: each for each in rows.extensions.all()},
            levels=frozenset(each.name for each in rows.levels.all()),
            schedules=frozenset(each.name for each in rows.schedules.all()),
            services=known_services(folder),
        )

    def demand_trunk(self, name: str) -> None:
        _demand(name in self.trunks, f"there is no trunk '{name}'", "see 'frontdesk trunk list'")

    def demand_extension(self, number: str) -> None:
        _demand(number in self.extensions, f"there is no extension {number}", "see 'frontdesk extension list'")

    def demand_level(self, name: str) -> None:
        _demand(name in self.levels, f"there is no level '{name}'", "see 'frontdesk level list'")

    def demand_schedule(self, name: str) -> None:
        _demand(name in self.schedules, f"there is no schedule '{name}'", "see 'frontdesk schedule list'")

    def demand_targets(self, extension: str | None, group: str | None, service: str | None) -> None:
        """Refuse what calls cannot be led to."""
        if extension is not None:
            self.demand_extension(extension)
        if group is not None:
            raise NotFoundError(f"there is no group {group}", "lead the calls to an extension or a service")
        if service is not None and service not in self.services:
            known = ", ".join(sorted(self.services)) or "none"
            raise NotFoundError(f"there is no service '{service}'", f"those that there are: {known}")


def known_services(folder: Path) -> frozenset[str]:
    """The services of an office: its own and those that come with Frontdesk."""
    return service_names(folder / "lua" / "services", LUA / "services")


def check_route(rule: RouteRule, known: Known, others: Iterable[RouteRule]) -> None:
    """Refuse a route that cannot be; ``others`` are those it would stand beside."""
    _demand(bool(rule.called), "the route has no called prefix", "give one with --called, or * for any number")
    check_prefix(rule.called)
    check_prefix(rule.caller)
    check_word(rule.plan, "plan")
    check_strip(rule.strip)
    if rule.prepend:
        check_digits(rule.prepend, "--prepend")
    if rule.caller_as not in ("keep", "outside"):
        check_shown_number(rule.caller_as)
    if rule.level is not None:
        _demand(not rule.is_emergency, "an emergency route needs no level", "leave the level out")
        known.demand_level(rule.level)
    if rule.when is not None:
        known.demand_schedule(rule.when)
    _demand_one_target([name for name in _TARGETS if getattr(rule, name)], "the route")
    for name in rule.trunks:
        known.demand_trunk(name)
    known.demand_targets(rule.extension, rule.group, rule.service)
    if not rule.trunks and (rule.strip or rule.prepend):
        raise RefusedError("strip and prepend change what a trunk is told", "leave them out, or name a trunk")
    for other in others:
        if _prefixes(other) == _prefixes(rule) and other.id != rule.id:
            raise RefusedError(
                f"route {other.id} has the prefix {rule.called} already",
                f"change it with 'frontdesk route set {other.id}', or give this one another schedule or caller",
            )


def warnings_about(rule: RouteRule, known: Known, others: Iterable[RouteRule]) -> tuple[str, ...]:
    """What the maker of a route should know: numbers that it does not reach, and what it hides."""
    others = [other for other in others if other.id != rule.id and other.plan == rule.plan]
    found = []
    hidden = [each for each in known.extensions if rule.called == each]
    if hidden and rule.extension != hidden[0]:
        found.append(f"extension {hidden[0]} is hidden: who dials its number follows this route")
    inside = [each for each in known.extensions if each.startswith(rule.called) and each != rule.called]
    if inside and rule.called != ANY:
        found.append(f"extensions that begin with {rule.called} still ring when dialled: {_some(inside)}")
    if rule.plan not in {each.plan for each in known.extensions.values()} and not rule.is_emergency:
        found.append(
            f"no extension uses the dial plan {rule.plan}: "
            f"give it to one with 'frontdesk extension set NUMBER --plan {rule.plan}'"
        )
    if rule.caller != ANY and not any(each.startswith(rule.caller) for each in known.extensions):
        found.append(f"no extension's number begins with {rule.caller}: the route waits for one")
    if _is_covered(rule, others):
        found.append(f"it is never reached: longer prefixes take every number that begins with {rule.called}")
    found += [
        f"route {other.id} is never reached any more: longer prefixes take every number "
        f"that begins with {other.called}"
        for other in others
        if rule.called[:-1] == other.called and _is_covered(other, [*others, rule])
    ]
    return tuple(found)


def check_inbound(rule: InboundRule, known: Known, others: Iterable[InboundRule]) -> None:
    """Refuse an inbound number that cannot be."""
    _demand(bool(rule.trunk), "the inbound number has no trunk", "name one with --trunk")
    known.demand_trunk(rule.trunk)
    _demand(bool(rule.called), "the inbound number has no called prefix", "give one with --called, or * for any")
    check_any_prefix(rule.called)
    if rule.when is not None:
        known.demand_schedule(rule.when)
    _demand_one_target([name for name in _TARGETS[1:] if getattr(rule, name)], "the inbound number")
    known.demand_targets(rule.extension, rule.group, rule.service)
    for other in others:
        if (other.trunk, other.called, other.when) == (rule.trunk, rule.called, rule.when) and other.id != rule.id:
            raise RefusedError(
                f"inbound number {other.id} has the prefix {rule.called} on this trunk already",
                f"remove it with 'frontdesk inbound remove {other.id}', or give this one another schedule",
            )


def check_prefix(text: str) -> str:
    """The beginning of a number as phones dial it, or ``*`` for any."""
    if not _DIALLED.fullmatch(text):
        raise RefusedError(f"'{text}' is no prefix", f"use up to {_MOST_DIGITS} digits, or * for any number")
    return text


def check_any_prefix(text: str) -> str:
    """The beginning of a number or name as carriers write it, or ``*`` for any."""
    if not _ANY_NUMBER.fullmatch(text):
        raise RefusedError(
            f"'{text}' is no prefix", f"use up to {_MOST_DIGITS} digits or letters, or * for any number"
        )
    return text


def check_digits(text: str, option: str) -> str:
    if not _DIALLED.fullmatch(text):
        raise RefusedError(f"{option} cannot be '{text}'", f"use up to {_MOST_DIGITS} digits")
    return text


def check_strip(count: int) -> int:
    if not 0 <= count <= _MOST_DIGITS:
        raise RefusedError(f"{count} digits cannot be stripped", f"use 0 to {_MOST_DIGITS}")
    return count


def check_shown_number(text: str) -> str:
    """A number that the outside is shown."""
    if not _DIALLED.fullmatch(text) or len(text) < 2:
        raise RefusedError(f"'{text}' is no number to be shown", "use digits, perhaps behind +, or keep or outside")
    return text


def check_word(text: str, kind: str) -> str:
    """The name of a plan, level or schedule."""
    if not _NAME.fullmatch(text):
        raise RefusedError(
            f"'{text}' is no name of a {kind}", "use at most 32 letters, digits, dots, dashes and underscores"
        )
    return text


def check_rank(rank: int) -> int:
    if not 0 <= rank <= HIGHEST_RANK:
        raise RefusedError(
            f"the rank cannot be {rank}", f"use 0 to {HIGHEST_RANK}, the higher the more may be dialled"
        )
    return rank


def check_rate(rate: int) -> int:
    if not 0 <= rate <= 100:
        raise RefusedError(f"the rate cannot be {rate}", "use 0 to 100, per cent of the calls that are blocked")
    return rate


def check_network(text: str) -> str:
    """An address or a network in its usual spelling; an address is a network of one."""
    text = text.strip()
    try:
        network = ip_network(text, strict=False)
        is_exact = "/" not in text or str(ip_network(text)) == str(network)
    except ValueError:
        try:
            mend = f"use {ip_network(text, strict=False)}"
        except ValueError:
            mend = "use an address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32"
        raise RefusedError(f"'{text}' is no network", mend) from None
    if not is_exact or network.prefixlen == 0:
        raise RefusedError(f"'{text}' is every address there is", "use a smaller network")
    return str(network)


def _demand(fits: bool, what: str, mend: str) -> None:
    if not fits:
        raise RefusedError(what, mend)


def _demand_one_target(named: list[str], what: str) -> None:
    if not named:
        raise RefusedError(f"{what} leads nowhere", "name where its calls go, such as --extension")
    if len(named) > 1:
        raise RefusedError(f"{what} leads to more than one place", "name one of them")


def _prefixes(rule: RouteRule) -> tuple[str, str, str, str | None]:
    return rule.called, rule.caller, rule.plan, rule.when


def _is_covered(rule: RouteRule, others: Iterable[RouteRule]) -> bool:
    """Whether longer prefixes of the same plan, at any time, take whatever digit comes next."""
    if rule.called == ANY:
        return False
    taken = {
        other.called[-1]
        for other in others
        if other.when is None
        and other.called[:-1] == rule.called
        and (other.caller == ANY or rule.caller.startswith(other.caller))
    }
    return taken >= set("0123456789")


def _some(numbers: list[str]) -> str:
    return ", ".join(sorted(numbers)[:3]) + (" …" if len(numbers) > 3 else "")
