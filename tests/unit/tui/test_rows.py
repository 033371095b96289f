"""Rows keep their place, say who is ours, and warn of bad audio."""

from __future__ import annotations

from datetime import timedelta

from engine.core.ids import CallId
from engine.core.views import CallRecord, CallState, Lamp, PersonView, ReleasedBy
from tests.unit.tui.conftest import MONDAY
from tests.unit.tui.fake_desk import call_view
from tui.rows import LINGER_S, CallBook, finds_person, person_row
from tui.wording import RICH_GLYPHS


def _texts(book: CallBook, seconds: float = 0.0, search: str = "") -> list[list[str]]:
    at = MONDAY + timedelta(seconds=seconds)
    return [[text for text, _ink in row.cells] for row in book.rows(at, RICH_GLYPHS, search)]


def test_an_ended_call_keeps_its_place_for_a_moment() -> None:
    first, second = call_view("a", "101", "102", MONDAY), call_view("b", "103", "104", MONDAY)
    book = CallBook()
    book.update((first, second), MONDAY, None)
    book.update((second,), MONDAY + timedelta(seconds=1), None)
    assert [(row[0], row[4]) for row in _texts(book, 1)] == [("101", "ended"), ("103", "talking")]
    assert book.call("a") is None
    book.update((second,), MONDAY + timedelta(seconds=1 + LINGER_S), None)
    assert [row[0] for row in _texts(book, 1 + LINGER_S)] == ["103"]


def test_the_call_under_the_cursor_lingers_longer() -> None:
    call = call_view("a", "101", "102", MONDAY)
    book = CallBook()
    book.update((call,), MONDAY, "a")
    book.update((), MONDAY + timedelta(seconds=1), "a")
    book.update((), MONDAY + timedelta(seconds=2 + LINGER_S), "a")
    assert len(_texts(book)) == 1


def _record(name: str, cause: str, *, answered: bool = False) -> CallRecord:
    return CallRecord(
        id=CallId(name), linked_id=CallId(name), caller="101", callee="102", started_at=MONDAY,
        ended_at=MONDAY + timedelta(seconds=1), released_by=ReleasedBy.CALLEE, cause=cause,
        answered_at=MONDAY if answered else None,
    )  # fmt: skip


def test_the_row_of_a_call_that_ended_says_why() -> None:
    book = CallBook()
    book.update((call_view("a", "101", "102", MONDAY),), MONDAY, None)
    later = MONDAY + timedelta(seconds=1)
    book.update((), later, None, (_record("a", "408 Callee Vanished", answered=True),))
    assert [row[4] for row in _texts(book, 1)] == ["called phone vanished"]
    book = CallBook()
    book.update((call_view("a", "101", "102", MONDAY),), MONDAY, None)
    book.update((), later, None, (_record("a", "normal", answered=True),))
    assert [row[4] for row in _texts(book, 1)] == ["ended"]


def test_a_call_refused_before_anybody_saw_it_has_a_row_for_a_moment() -> None:
    refused = _record("a", "486 Busy Here")
    book = CallBook()
    book.update((), MONDAY + timedelta(seconds=1), None, (refused,))
    assert [(row[0], row[2], row[4]) for row in _texts(book, 1)] == [("101", "102", "line busy")]
    assert book.call("a") is None
    book.update((), MONDAY + timedelta(seconds=1.5 + LINGER_S), None, (refused,))
    book.update((), MONDAY + timedelta(seconds=2 + LINGER_S), None, (refused,))
    assert _texts(book, 2 + LINGER_S) == []


def test_an_answered_call_that_nobody_saw_needs_no_row() -> None:
    book = CallBook()
    book.update((), MONDAY + timedelta(seconds=1), None, (_record("a", "normal", answered=True),))
    assert _texts(book, 1) == []


def test_new_calls_come_below_those_that_are_there() -> None:
    old, new = call_view("z", "109", "110", MONDAY), call_view("a", "101", "102", MONDAY)
    book = CallBook()
    book.update((old,), MONDAY, None)
    book.update((new, old), MONDAY, None)
    assert [row[0] for row in _texts(book)] == ["109", "101"]


def test_a_call_refused_before_anybody_saw_it_has_its_names() -> None:
    record = CallRecord(
        id=CallId("a"), linked_id=CallId("a"), caller="101", callee="112", started_at=MONDAY, answered_at=None,
        ended_at=MONDAY, released_by=ReleasedBy.CALLEE, cause="486 Busy Here",
    )  # fmt: skip
    people = [PersonView("101", "Anna", Lamp.IDLE, None), PersonView("112", None, Lamp.IDLE, None)]
    book = CallBook()
    book.update((), MONDAY, None, (record,), people)
    assert [row[:3] for row in _texts(book)] == [["101 Anna", "", "112"]]


def test_our_side_stands_left_whoever_called() -> None:
    inbound = call_view("a", "+49301", "103", MONDAY, CallState.RINGING, trunk_in="telekom")
    outbound = call_view("b", "104", "+49302", MONDAY, CallState.RINGING, trunk_out="telekom")
    book = CallBook()
    book.update((inbound, outbound), MONDAY, None)
    assert [row[:3] for row in _texts(book)] == [["103", "←", "+49301"], ["104", "→", "+49302"]]


def test_bad_audio_is_marked_with_a_sign_not_only_a_colour() -> None:
    book = CallBook()
    book.update(
        (call_view("a", "1", "2", MONDAY, mos=3.2), call_view("b", "3", "4", MONDAY, mos=4.4)), MONDAY, None
    )
    assert [row[6] for row in _texts(book)] == ["3.2 !", "4.4"]


def test_quality_is_sampled_as_time_passes() -> None:
    book = CallBook()
    for second, mos in ((0, 4.4), (1, 2.0), (2, 3.2), (4, 2.0)):
        book.update((call_view("a", "1", "2", MONDAY, mos=mos),), MONDAY + timedelta(seconds=second), None)
    assert _texts(book)[0][5] == "▁▅█"


def test_lamp_is_said_by_sign_and_word() -> None:
    person = PersonView("102", "Bo", Lamp.RINGING, MONDAY - timedelta(seconds=9))
    texts = [text for text, _ink in person_row(person, MONDAY, RICH_GLYPHS).cells]
    assert texts == ["102 Bo", "◐", "ringing", "0:09"]


def test_search_finds_number_and_name_in_any_case() -> None:
    person = PersonView("102", "Bo Chen 陈波", Lamp.IDLE, None)
    assert all(finds_person(person, text) for text in ("10", "chen", "陈", "102 bo", ""))
    assert not finds_person(person, "anna")
