"""Where a number goes that an extension dials, row by row."""

from __future__ import annotations

import timeit
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.params import PARAMS
from engine.pbx.routing import Decision, Refused, ToExtension, ToService, ToTrunks, route_call, route_inbound
from engine.store.configuration import Configuration, DigestSecrets, Extension
from engine.store.outside import InboundRule, Level, Night, RouteRule, Schedule, Trunk
from engine.store.services import Trigger

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SUNDAY_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANNA = Extension("101", "Anna", DigestSecrets("", ""))
BERND = replace(ANNA, number="102", outside_number="4930555102")
TRUNKS = MappingProxyType({name: Trunk(name, "127.0.0.9") for name in ("berlin", "cheap", "paris")})
LEVELS = MappingProxyType({name: Level(name, rank) for name, rank in (("local", 1), ("national", 2))})
HOURS = MappingProxyType({"office": Schedule("office", "mo-fr 09:00-17:30", ("12-25",))})


def an_office(*routes: RouteRule, inbound: tuple[InboundRule, ...] = (), **others: Any) -> Configuration:
    params: Mapping[str, Any] = {name: param.default for name, param in PARAMS.items()} | {"timezone": "UTC"}
    params = {**params, **others.pop("params", {})}
    people = others.pop("people", (ANNA, BERND))
    return Configuration(
        revision=1,
        realm="office",
        extensions=MappingProxyType({each.number: each for each in people}),
        trunks=others.pop("trunks", TRUNKS),
        routes=routes,
        inbound=inbound,
        levels=LEVELS,
        schedules=HOURS,
        params=MappingProxyType(params),
        **others,
    )


def rule(id_: int, called: str, trunk: str = "berlin", **others: Any) -> RouteRule:
    return RouteRule(id_, called, trunks=(trunk,), **others)


def call(office: Configuration, dialled: str, caller: Extension = ANNA, at: datetime = MONDAY_NOON) -> Any:
    return route_call(office, caller, dialled, at).route


def told(decision: Decision) -> list[str]:
    return [step.key for step in decision.steps]


# -- inside -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialled", ["102"])
def test_a_number_of_the_office_rings_there(dialled: str) -> None:
    assert call(an_office(rule(1, "*"), rule(2, "10")), dialled) == ToExtension(BERND)


def test_the_own_number_is_busy() -> None:
    assert call(an_office(rule(1, "*")), "101") == Refused(486, "Own Number")


def test_a_code_leads_to_its_service() -> None:
    assert call(an_office(rule(1, "*")), "*43") == ToService("echo")


def test_a_rule_that_names_a_whole_number_comes_before_the_extension() -> None:
    office = an_office(RouteRule(1, "102", caller="101", extension="101"), RouteRule(2, "*43", service="clock"))
    assert call(office, "102") == ToExtension(ANNA)
    assert call(office, "102", BERND) == Refused(486, "Own Number")
    assert call(office, "*43") == ToService("clock")


# -- outside ----------------------------------------------------------------------------------------------------


def test_the_outside_prefix_leads_to_the_trunks_in_order() -> None:
    route = call(an_office(), "9030123")
    assert route == ToTrunks(tuple(TRUNKS.values()), "030123", "101")


@pytest.mark.parametrize(
    ("prefix", "dialled", "number"),
    [("0", "0123", "123"), (None, "030123", "030123"), ("*9", "*930", "30"), ("rules", "9123", None)],
)
def test_the_outside_prefix_can_be_changed_and_removed(
    prefix: str | None, dialled: str, number: str | None
) -> None:
    route = call(an_office(params={"outside_prefix": prefix}), dialled)
    assert route == Refused(404, "No Such Number") if number is None else route.number == number


@pytest.mark.parametrize("dialled", ["9", "8123", "999"])
def test_what_leads_nowhere_is_no_such_number(dialled: str) -> None:
    office = an_office(trunks=MappingProxyType({})) if dialled == "999" else an_office()
    assert call(office, dialled) == Refused(404, "No Such Number")


def test_the_longest_called_prefix_wins_then_the_longest_caller_prefix() -> None:
    office = an_office(
        rule(1, "90", "cheap"),
        rule(2, "900", "paris"),
        rule(3, "900", "berlin", caller="10"),
        rule(4, "*", "cheap"),
    )
    assert call(office, "9004930").trunks[0].name == "berlin"
    assert call(office, "904930").trunks[0].name == "cheap"
    assert call(office, "9004930", replace(ANNA, number="201")).trunks[0].name == "paris"


def test_a_rule_holds_in_its_plan_alone() -> None:
    office = an_office(rule(1, "90", "paris", plan="boss"), rule(2, "90", "cheap"))
    assert call(office, "901").trunks[0].name == "cheap"
    assert call(office, "901", replace(ANNA, plan="boss")).trunks[0].name == "paris"
    assert call(office, "901", replace(ANNA, plan="other")).trunks == tuple(TRUNKS.values())


@pytest.mark.parametrize(
    ("strip", "prepend", "number"), [(1, "", "0301"), (2, "0049", "0049301"), (0, "55", "5590301")]
)
def test_digits_are_stripped_and_prepended(strip: int, prepend: str, number: str) -> None:
    assert call(an_office(rule(1, "90", strip=strip, prepend=prepend)), "90301").number == number


def test_a_number_of_which_nothing_is_left_is_incomplete() -> None:
    assert call(an_office(rule(1, "90", strip=9)), "9030") == Refused(484, "Number Incomplete")


@pytest.mark.parametrize(
    ("caller_as", "shown"), [("keep", "102"), ("outside", "4930555102"), ("4930555100", "4930555100")]
)
def test_the_caller_is_shown_as_the_rule_says(caller_as: str, shown: str) -> None:
    assert call(an_office(rule(1, "90", caller_as=caller_as)), "901", BERND).caller == shown


def test_without_a_rule_the_outside_number_is_shown() -> None:
    assert call(an_office(), "901", BERND).caller == "4930555102"
    assert call(an_office(), "901", ANNA).caller == "101"


def test_a_rule_whose_trunks_are_gone_has_no_line() -> None:
    assert call(an_office(rule(1, "90", "gone")), "901") == Refused(503, "No Outside Line")


# -- when -------------------------------------------------------------------------------------------------------


def test_outside_its_hours_the_next_rule_is_taken() -> None:
    office = an_office(rule(1, "90", "cheap", when="office"), rule(2, "9", "paris"))
    assert call(office, "901").trunks[0].name == "cheap"
    assert call(office, "901", at=SUNDAY_NOON).trunks[0].name == "paris"
    assert "closed" in told(route_call(office, ANNA, "901", SUNDAY_NOON))


def test_of_the_same_prefix_the_one_with_hours_comes_first() -> None:
    office = an_office(rule(1, "90", "paris"), rule(2, "90", "cheap", when="office"))
    assert call(office, "901").trunks[0].name == "cheap"
    assert call(office, "901", at=SUNDAY_NOON).trunks[0].name == "paris"


@pytest.mark.parametrize(
    ("night", "at", "trunk"), [(Night.ON, MONDAY_NOON, "paris"), (Night.OFF, SUNDAY_NOON, "cheap")]
)
def test_the_night_switch_comes_before_the_hours(night: Night, at: datetime, trunk: str) -> None:
    office = an_office(rule(1, "90", "cheap", when="office"), rule(2, "90", "paris"), night=night)
    assert call(office, "901", at=at).trunks[0].name == trunk


def test_hours_are_those_of_the_office() -> None:
    office = an_office(rule(1, "90", "cheap", when="office"), params={"timezone": "Asia/Shanghai"})
    assert call(office, "901", at=datetime(2026, 3, 2, 2, 0, tzinfo=UTC)).trunks[0].name == "cheap"
    assert len(call(office, "901", at=MONDAY_NOON).trunks) == 3


def test_a_schedule_that_is_missing_never_holds() -> None:
    office = an_office(rule(1, "90", "cheap", when="gone"))
    assert len(call(office, "901").trunks) == 3


# -- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "needed", "may"),
    [
        (None, None, True),
        (None, "local", False),
        ("local", "local", True),
        ("local", "national", False),
        ("national", "local", True),
        ("gone", "local", False),
        ("national", "gone", False),
    ],
)
def test_who_is_below_the_level_is_refused(own: str | None, needed: str | None, may: bool) -> None:
    route = call(an_office(rule(1, "90", level=needed)), "901", replace(ANNA, level=own))
    assert isinstance(route, ToTrunks) if may else route == Refused(403, f"Call Level {str(needed).title()} Needed")


def test_emergency_calls_need_no_level_and_hold_in_every_plan() -> None:
    office = an_office(rule(1, "112", level="national", is_emergency=True))
    for plan in ("default", "other"):
        route = call(office, "112", replace(ANNA, plan=plan))
        assert (route.number, route.is_emergency) == ("112", True)


def test_an_emergency_number_may_be_dialled_with_the_outside_prefix() -> None:
    office = an_office(rule(1, "112", is_emergency=True), rule(2, "9", strip=1, level="national"))
    assert call(office, "9112").is_emergency
    assert call(office, "91123") == Refused(403, "Call Level National Needed")


# -- inbound ----------------------------------------------------------------------------------------------------


def arrive(office: Configuration, dialled: str, at: datetime = MONDAY_NOON, trunk: str = "berlin") -> Any:
    return route_inbound(office, TRUNKS[trunk], dialled, "030999", at).route


def test_the_longest_inbound_number_wins_and_only_on_its_trunk() -> None:
    office = an_office(
        inbound=(
            InboundRule(1, "berlin", "*", extension="101"),
            InboundRule(2, "berlin", "4930", extension="102"),
            InboundRule(3, "paris", "49305", service="echo"),
        )
    )
    assert arrive(office, "4930555") == ToExtension(BERND)
    assert arrive(office, "1") == ToExtension(ANNA)
    assert arrive(office, "4930555", trunk="paris") == ToService("echo")
    assert arrive(office, "4930555", trunk="cheap") == Refused(404, "No Such Number")


def test_an_inbound_number_leads_to_a_service_with_the_settings_of_its_number() -> None:
    menu = Trigger(1, "800", "attendant", settings=(("1", "101"),))
    office = an_office(
        RouteRule(1, "77", service="800"),
        inbound=(InboundRule(1, "berlin", "*", service="800"), InboundRule(2, "paris", "*", service="801")),
        triggers=(menu,),
    )
    assert arrive(office, "5") == ToService("attendant", "", menu.settings)
    assert arrive(office, "5", trunk="paris") == Refused(404, "No Such Service")
    assert route_call(office, ANNA, "771", MONDAY_NOON).route == ToService("attendant", "", menu.settings)


def test_inbound_numbers_have_hours() -> None:
    office = an_office(
        inbound=(
            InboundRule(1, "berlin", "*", extension="101", when="office"),
            InboundRule(2, "berlin", "*", "102"),
        )
    )
    assert arrive(office, "5") == ToExtension(ANNA)
    assert arrive(office, "5", SUNDAY_NOON) == ToExtension(BERND)


@pytest.mark.parametrize("dialled", ["+4930555102", "4930555102", "004930555102", "030555102", "102"])
def test_without_a_rule_a_call_reaches_whose_number_it_is(dialled: str) -> None:
    assert arrive(an_office(params={"country_code": "49"}), dialled) == ToExtension(BERND)


def test_a_call_from_a_trunk_never_goes_out_again() -> None:
    assert arrive(an_office(rule(1, "9")), "9030123") == Refused(404, "No Such Number")


@pytest.mark.parametrize("dialled", ["+4930555", "4930555", "004930555", "030555"])
def test_an_inbound_number_is_found_however_it_is_written(dialled: str) -> None:
    for called in ("+49305", "49305", "0049305", "0305"):
        office = an_office(inbound=(InboundRule(1, "berlin", called, "101"),), params={"country_code": "49"})
        assert arrive(office, dialled) == ToExtension(ANNA), called


# -- all of them ------------------------------------------------------------------------------------------------

_DIGITS = st.text("012", min_size=1, max_size=4)


@given(st.lists(st.tuples(_DIGITS | st.just("*"), _DIGITS | st.just("*")), max_size=12), st.text("012", min_size=1))
def test_the_index_finds_what_looking_at_every_rule_finds(rules: list[tuple[str, str]], dialled: str) -> None:
    office = an_office(
        *(
            rule(id_, called, caller=caller, strip=0, prepend=str(id_))
            for id_, (called, caller) in enumerate(rules)
        ),
        people=(replace(ANNA, number="1012"),),
        trunks=TRUNKS,
    )
    caller = office.extensions["1012"]
    reach = [
        (-len(each.called.strip("*")), -len(each.caller.strip("*")), each.id)
        for each in office.routes
        if dialled.startswith(each.called.strip("*")) and caller.number.startswith(each.caller.strip("*"))
    ]
    steps = [step for step in route_call(office, caller, dialled, MONDAY_NOON).steps if step.key == "rule"]
    assert [step.values["rule"] for step in steps] == ([min(reach)[2]] if reach else [])


@pytest.mark.thorough
def test_a_decision_among_a_thousand_rules_takes_microseconds() -> None:
    office = an_office(*(rule(id_, f"9{id_:03}", level="local", when="office") for id_ in range(1000)))
    caller = replace(ANNA, level="national")
    seconds = min(
        timeit.repeat(lambda: route_call(office, caller, "9567123456", MONDAY_NOON), number=1000, repeat=5)
    )
    assert seconds * 1000 < 50, f"{seconds * 1000:.1f} µs"
