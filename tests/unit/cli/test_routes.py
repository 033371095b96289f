"""Routes, levels, schedules, screening and addresses on the command line, with an engine and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.store.outside import Trunk
from engine.store.store import Store
from tests.unit.cli.conftest import Engine, Frontdesk


def document(frontdesk: Frontdesk, *arguments: str) -> Any:
    outcome = frontdesk(*arguments, "--json")
    assert (outcome.status, outcome.err) == (0, ""), outcome
    return json.loads(outcome.out)


def done(frontdesk: Frontdesk, line: str) -> str:
    outcome = frontdesk(*line.split())
    assert (outcome.status, outcome.err) == (0, ""), outcome
    return outcome.out


def tried(frontdesk: Frontdesk, line: str) -> Any:
    return document(frontdesk, *line.split())


def an_office(frontdesk: Frontdesk, folder: Path) -> None:
    done(frontdesk, "extension add 101 --outside-number 4930555101 --max-out 2 --from-network 10.0.0.0/8")
    done(frontdesk, "extension add 102")
    store = Store.open(folder)
    store.submit(lambda rows: rows.trunks.put(Trunk("berlin", "127.0.0.9"))).result(5)
    store.close()


def test_a_route_is_added_listed_changed_tried_and_removed(frontdesk: Frontdesk, folder: Path) -> None:
    an_office(frontdesk, folder)
    done(frontdesk, "level add international --rank 3")
    done(frontdesk, "level set international --rank 4")
    assert document(frontdesk, "level", "list") == [{"name": "international", "rank": 4}]
    done(frontdesk, "schedule add office --when mo-fr --holiday 12-25")
    assert done(frontdesk, "route add --called 90 --strip 1 --trunk berlin") == "route 1 is added\n"
    assert document(frontdesk, "route", "list") == [
        {
            "id": 1, "called": "90", "caller": "*", "plan": "default", "strip": 1, "prepend": "",
            "caller_as": "outside", "level": None, "when": None, "emergency": False, "trunks": ["berlin"],
            "extension": None, "group": None, "service": None,
        }
    ]  # fmt: skip
    done(frontdesk, "route set 1 --level international --when office")
    assert document(frontdesk, "route", "show", "1")["level"] == "international"
    found = tried(frontdesk, "route test --from 101 --to 9012 --at 2026-03-02T10:00:00Z")
    assert (found["outcome"], found["status"]) == ("refused", 403)
    done(frontdesk, "extension set 101 --level international")
    found = tried(frontdesk, "route test --from 101 --to 9012 --at 2026-03-02T10:00:00Z")
    steps = found.pop("steps")
    assert found == {
        "outcome": "trunk", "target": "berlin", "number": "012", "caller": "4930555101", "status": None,
        "reason": None, "trunks": ["berlin"],
    }  # fmt: skip
    assert steps[0] == "extension 101 dials 9012, by the dial plan default"
    words = frontdesk("route", "test", "--from", "101", "--to", "102")
    assert words.out.splitlines()[-1] == "extension: 102"
    done(frontdesk, "route remove 1")
    assert document(frontdesk, "route", "list") == []


def test_every_listing_has_a_table_and_a_word_for_nothing(frontdesk: Frontdesk, folder: Path) -> None:
    an_office(frontdesk, folder)
    for group in ("route", "inbound", "level", "schedule", "screen", "address"):
        assert len(done(frontdesk, f"{group} list").splitlines()) == 1
    done(frontdesk, "level add local --rank 1")
    done(frontdesk, "schedule add office --when mo-fr")
    done(frontdesk, "route add --called 9 --level local --prepend 0 --trunk berlin --when office")
    done(frontdesk, "inbound add --trunk berlin --called * --service echo")
    done(frontdesk, "screen add --caller anonymous")
    done(frontdesk, "address allow 192.0.2.7")
    for group in ("route", "inbound", "level", "schedule", "screen", "address"):
        assert len(done(frontdesk, f"{group} list").splitlines()) == 2
    for what in ("level show local", "schedule show office", "route show 1"):
        assert done(frontdesk, what)


def test_inbound_numbers_and_what_if_this_number_calls(frontdesk: Frontdesk, folder: Path) -> None:
    an_office(frontdesk, folder)
    done(frontdesk, "inbound add --trunk berlin --called 4930555 --extension 102")
    done(frontdesk, "inbound set 1 --extension 101")
    assert document(frontdesk, "inbound", "list") == [
        {"id": 1, "trunk": "berlin", "called": "4930555", "extension": "101", "group": None, "service": None,
         "when": None}
    ]  # fmt: skip
    found = tried(frontdesk, "route test --trunk berlin --to 4930555 --from 030123")
    assert (found["outcome"], found["target"], found["caller"]) == ("extension", "101", "030123")
    done(frontdesk, "screen add --caller 030 --called 4930 --rate 100")
    found = tried(frontdesk, "route test --trunk berlin --to 4930555 --from 030123")
    assert (found["outcome"], found["status"]) == ("refused", 403)
    done(frontdesk, "inbound remove 1")


def test_screening_with_an_engine_shows_its_hits(frontdesk: Frontdesk, engine: Engine) -> None:
    done(frontdesk, "screen add --caller anonymous --called * --rate 100")
    done(frontdesk, "screen add --caller 030 --called * --white")
    engine.office.hits = {1: 3}
    assert document(frontdesk, "screen", "list") == [
        {"id": 1, "caller": "anonymous", "called": "*", "rate": 100, "white": False, "hits": 3},
        {"id": 2, "caller": "030", "called": "*", "rate": 0, "white": True, "hits": 0},
    ]
    done(frontdesk, "screen remove 2")
    assert len(document(frontdesk, "screen", "list")) == 1


def test_addresses_with_an_engine(frontdesk: Frontdesk, engine: Engine) -> None:
    assert done(frontdesk, "address block 192.0.2.0/24") == "192.0.2.0/24 is blocked\n"
    assert done(frontdesk, "address allow 192.0.2.7") == "192.0.2.7/32 is always let in\n"
    assert document(frontdesk, "address", "list") == [
        {"network": "192.0.2.0/24", "white": False},
        {"network": "192.0.2.7/32", "white": True},
    ]
    done(frontdesk, "address remove 192.0.2.7")


def test_the_night_switch_with_an_engine(frontdesk: Frontdesk, engine: Engine) -> None:
    assert done(frontdesk, "night") == "the night switch is auto\n"
    done(frontdesk, "schedule add office --when mo-fr")
    done(frontdesk, "night on")
    assert document(frontdesk, "night") == {"night": "on"}
    assert document(frontdesk, "schedule", "list") == [
        {"name": "office", "when": "mo-fr", "holidays": [], "holds": False}
    ]
    done(frontdesk, "schedule set office --when sa --holiday 12-25")
    done(frontdesk, "schedule set office --clear holidays")
    assert document(frontdesk, "schedule", "show", "office")["holidays"] == []
    done(frontdesk, "schedule remove office")


def test_routes_are_tried_with_an_engine(frontdesk: Frontdesk, engine: Engine) -> None:
    done(frontdesk, "extension add 101")
    found = tried(frontdesk, "route test --from 101 --to 9123")
    assert (found["outcome"], found["status"], found["target"]) == ("refused", 404, None)


def test_a_warning_goes_to_standard_error(frontdesk: Frontdesk, folder: Path) -> None:
    an_office(frontdesk, folder)
    outcome = frontdesk("route", "add", "--called", "102", "--extension", "101")
    assert outcome.status == 0
    assert outcome.err == "frontdesk: extension 102 is hidden: who dials its number follows this route\n"
    (warning,) = json.loads(frontdesk("route", "set", "1", "--called", "10", "--json").out)["warnings"]
    assert warning.startswith("extensions that begin with 10")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("route add --trunk berlin", 2, "--called"),
        ("route add --called 9 --trunk gone", 1, "there is no trunk 'gone'"),
        ("route add --called 9 --strip x --trunk berlin", 2, "whole number"),
        ("route set 1", 2, "name what should change"),
        ("route show x", 2, "whole number"),
        ("route test --to 102", 2, "--from"),
        ("inbound add --called 1 --extension 101", 2, "--trunk"),
        ("level add local --rank -1", 2, "whole number"),
        ("level show gone", 1, "there is no level 'gone'"),
        ("schedule add office --when 9-17", 1, "'9-17' is no span of time"),
        ("schedule set office", 2, "name what should change"),
        ("schedule set office --clear when", 2, "cannot be cleared"),
        ("schedule show gone", 1, "there is no schedule 'gone'"),
        ("night dark", 2, "give one of on, off, auto"),
        ("screen add --caller 1 --rate 200", 1, "the rate cannot be 200"),
        ("address block nonsense", 1, "'nonsense' is no network"),
        ("extension set 101 --max-out many", 2, "use a number or unlimited"),
        ("extension set 101 --level gone", 1, "there is no level 'gone'"),
    ],
)
def test_mistakes_are_named(frontdesk: Frontdesk, folder: Path, line: str, status: int, said: str) -> None:
    an_office(frontdesk, folder)
    outcome = frontdesk(*line.split())
    assert (outcome.status, outcome.out) == (status, "")
    assert said in " ".join(outcome.err.split())
