"""The form says what is wrong and asks for exactly what was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.desk.commands import ExtensionFields
from engine.store.configuration import DigestSecrets, Extension, HoldPolicy
from tui.draft import Draft

ANNA = Extension("101", "Anna", DigestSecrets("", ""), email="anna@office.example")


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(), "number"),
        (Draft(number="12a"), "number"),
        (Draft(number="5" * 16), "number"),
        (Draft(number="5555", password="5555"), "password"),
        (Draft(number="101"), "number"),
        (Draft(number="5"), "number"),
        (Draft(number="55", name="x" * 65), "name"),
        (Draft(number="55", password="abc"), "password"),
        (Draft(number="55", password="geheimß" * 2), "password"),
        (Draft(number="55", multi_device=True, max_devices="0"), "max_devices"),
        (Draft(number="55", max_calls="zero"), "max_calls"),
        (Draft(number="55", max_calls="0"), "max_calls"),
        (Draft(number="55", codecs="PCMA, MP3"), "codecs"),
        (Draft(number="55", email="anna"), "email"),
    ],
)
def test_a_wrong_field_is_named(draft: Draft, field: str) -> None:
    assert list(draft.problems({"101"})) == [field]


def test_a_good_draft_has_no_problems() -> None:
    draft = Draft(
        number="104", name="Chef 厨师", password="correct-horse", codecs="pcma g722", email="a@b.c", max_calls=""
    )
    assert draft.problems({"101"}) == {}


def test_only_what_changed_is_asked_for() -> None:
    before = Draft.of(ANNA)
    assert before.fields(before) == ExtensionFields()
    after = replace(before, name="Anna B", multi_device=True, music=False, codecs="pcma")
    assert after.fields(before) == ExtensionFields(
        name="Anna B", multi_device=True, hold=HoldPolicy.PASS, codecs=("PCMA",)
    )


def test_emptied_fields_are_cleared() -> None:
    before = Draft.of(ANNA)
    after = replace(before, name=" ", email="", max_calls="")
    assert after.fields(before) == ExtensionFields(clear=frozenset({"name", "email", "max_calls"}))


def test_a_password_is_never_shown_among_the_changes() -> None:
    before = Draft.of(ANNA)
    changes = replace(before, password="correct-horse", name="Bo").changes(before)
    assert changes == [("Name", "Anna", "Bo"), ("Password", "", "a new one")]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(number="55", level="a b"), "level"),
        (Draft(number="55", plan="a,b"), "plan"),
        (Draft(number="55", outside_number="anna"), "outside_number"),
        (Draft(number="55", max_out="many"), "max_out"),
        (Draft(number="55", max_out="1001"), "max_out"),
        (Draft(number="55", from_network="10.0.0.1/8"), "from_network"),
    ],
)
def test_what_is_wrong_about_calls_outside_is_named(draft: Draft, field: str) -> None:
    assert list(draft.problems(())) == [field]


def test_the_way_outside_is_set_and_emptied() -> None:
    draft = Draft(
        number="55", level="world", plan="boss", outside_number="+4930", max_out="0", from_network="10.0.0.0/8"
    )
    assert draft.problems(()) == {}
    assert draft.fields(Draft(number="55")) == ExtensionFields(
        level="world", plan="boss", outside_number="+4930", max_out=0, from_network="10.0.0.0/8"
    )
    emptied = Draft(number="55", plan="").fields(draft)
    assert emptied == ExtensionFields(
        clear=frozenset({"level", "plan", "outside_number", "max_out", "from_network"})
    )
