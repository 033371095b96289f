"""The black and white list, row by row, and over a whole call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from types import MappingProxyType

import pytest

from engine.core.params import PARAMS
from engine.pbx.routing import Refused
from engine.pbx.screening import Caller, Screening
from engine.store.configuration import Configuration
from engine.store.outside import AddressRow, RouteRule, ScreenRow
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect

BLOCKED = Refused(403, "Blocked By The Screening List")


def configured(*rows: ScreenRow, country: str | None = None) -> Configuration:
    params = {name: param.default for name, param in PARAMS.items()} | {"country_code": country}
    return Configuration(1, "office", screening=rows, params=MappingProxyType(params))


def a_list(*rows: ScreenRow, country: str | None = None, draw: Callable[[], float] = lambda: 0.5) -> Screening:
    screening = Screening(draw)
    screening.apply(configured(*rows, country=country))
    return screening


EXAMPLE = (
    ScreenRow(1, "101", "*"),
    ScreenRow(2, "*", "9"),
    ScreenRow(3, "100", "9", 0),
    ScreenRow(4, "1", "913", 0),
)


@pytest.mark.parametrize(
    ("caller", "called", "row", "blocks"),
    [
        ("101", "100", 1, True),
        ("101", "913800", 4, False),
        ("100", "974413800", 3, False),
        ("102", "974413800", 2, True),
        ("102", "913800", 4, False),
        ("1011", "913800", 4, False),
        ("200", "913800", 2, True),
        ("200", "100", None, False),
    ],
)
def test_the_longest_called_prefix_decides_then_the_longest_caller_prefix(
    caller: str, called: str, row: int | None, blocks: bool
) -> None:
    screening = a_list(*EXAMPLE)
    assert screening.screen(Caller(caller), called) == (BLOCKED if blocks else None)
    assert screening.hits == ({} if row is None else {row: 1})


def test_white_rows_always_pass() -> None:
    screening = a_list(ScreenRow(1, "*", "*"), ScreenRow(2, "030", "*", 100, is_white=True))
    assert screening.screen(Caller("0301"), "101") is None
    assert screening.screen(Caller("0401"), "101") == BLOCKED


def test_a_rate_blocks_that_share_of_the_calls_and_all_are_counted() -> None:
    draws: Iterator[float] = cycle([each / 100 for each in range(100)])
    screening = a_list(ScreenRow(7, "*", "*", 30), draw=lambda: next(draws))
    verdicts = [screening.screen(Caller("1"), "101") for _ in range(200)]
    assert verdicts.count(BLOCKED) == 60
    assert screening.hits == {7: 200}


def test_anonymous_callers_hear_that_they_must_show_their_number() -> None:
    screening = a_list(ScreenRow(1, "anonymous", "*"))
    assert screening.screen(Caller(None, is_anonymous=True), "101") == Refused(433, "Anonymity Disallowed")
    assert screening.screen(Caller("0301", is_anonymous=True), "101") == Refused(433, "Anonymity Disallowed")
    assert screening.screen(Caller("0301"), "101") is None


def test_a_row_for_the_number_comes_before_the_one_for_anonymous_and_that_before_any() -> None:
    screening = a_list(
        ScreenRow(1, "anonymous", "*"), ScreenRow(2, "0301", "*", is_white=True), ScreenRow(3, "*", "*")
    )
    assert screening.screen(Caller("0301", is_anonymous=True), "101") is None
    assert screening.screen(Caller(None, is_anonymous=True), "101") == Refused(433, "Anonymity Disallowed")
    assert screening.screen(Caller("040"), "101") == BLOCKED


@pytest.mark.parametrize("row", ["+4930", "004930", "030", "4930"])
@pytest.mark.parametrize("caller", ["+4930123", "004930123", "030123", "4930123", "+49 (30) 123"])
def test_numbers_are_compared_however_they_are_written(row: str, caller: str) -> None:
    screening = a_list(ScreenRow(1, row, "*"), country="49")
    assert screening.screen(Caller(caller), "101") == BLOCKED
    assert screening.screen(Caller("+4940123"), "101") is None


def test_a_row_that_stays_keeps_its_count_and_one_that_goes_loses_it() -> None:
    screening = a_list(ScreenRow(1, "030", "*"), ScreenRow(2, "040", "*"))
    for caller in ("030", "040"):
        screening.screen(Caller(caller), "101")
    screening.apply(configured(ScreenRow(1, "030", "*", 50)))
    assert screening.hits == {1: 1}


# -- whole calls ------------------------------------------------------------------------------------------------


def test_an_extension_meets_the_list_too(office: MemoryOffice) -> None:
    alice, bob = office.registered("101", "102")
    office.configure(screening=(ScreenRow(1, "101", "102"),))
    call = alice.call("102")
    office.settle()
    assert call.heard == ["407", "403"]
    assert office.office.screen_hits() == {1: 1}
    assert not bob.calls


def test_a_blocked_address_is_not_even_answered(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    office.configure(addresses=(AddressRow(f"{alice.host}/32", False), AddressRow("192.0.2.0/24", True)))
    call = alice.call("102")
    office.settle()
    assert call.heard == []
    office.configure(addresses=())
    office.advance(1)
    assert call.heard == ["407", "180"]


def test_an_extension_may_be_bound_to_a_network(office: MemoryOffice) -> None:
    alice, _ = office.registered("101", "102")
    office.has("101", from_network="10.0.0.0/8")
    call = alice.call("102")
    alice.register()
    office.settle()
    assert call.heard == ["407", "403"]
    assert alice.answers[-1].status == 403
    office.has("101", from_network=f"{alice.host}/32")
    call = alice.call("102")
    office.settle()
    assert call.heard == ["407", "180"]


def test_emergency_calls_meet_no_list(office: MemoryOffice) -> None:
    (alice,) = office.registered("101")
    carrier = MemoryCarrier(office)
    connect(office)
    rule = RouteRule(1, "112", trunks=("line",), is_emergency=True)
    office.configure(screening=(ScreenRow(1, "*", "*"),), routes=(rule,))
    call = alice.call("112")
    office.settle()
    assert call.heard[-1] == "180"
    assert carrier.requests
    assert alice.call("94711").failure is None
    office.settle()
    assert office.office.screen_hits() == {1: 1}


def test_anonymous_callers_from_outside_hear_433(office: MemoryOffice) -> None:
    office.registered("101")
    carrier = MemoryCarrier(office)
    connect(office)
    office.configure(screening=(ScreenRow(1, "anonymous", "*"),))
    for caller, extra in (
        ("<sip:anonymous@anonymous.invalid>", ()),
        ('"Anonymous" <sip:4930@carrier.test>', ()),
        ("<sip:restricted@carrier.test>", ()),
        ("<sip:unavailable@carrier.test>", ()),
        ("<sip:unknown@carrier.test>", ()),
        ("<sip:carrier.test>", ()),
        ("<sip:4930@carrier.test>", (("Privacy", "id"),)),
        ("<sip:4930@carrier.test>", (("Privacy", "user"),)),
    ):
        call = carrier.dials("101", caller, extra=extra)
        office.settle()
        assert call.failure is not None, caller
        assert (call.failure.status, call.failure.reason) == (433, "Anonymity Disallowed"), caller
    call = carrier.dials("101")
    office.settle()
    assert call.heard[-1] == "180"
