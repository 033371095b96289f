"""Every command does what its contract says, with an engine and without one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.core.events import CallEnded, LampChanged
from engine.core.ids import CallId
from engine.core.views import Lamp
from engine.desk import extension_commands, operator_commands
from engine.store.store import Store
from tests.unit.cli.conftest import Engine, Frontdesk
from tests.unit.desk.fakes import START, a_certificate
from tests.unit.store.samples import a_record
from tests.unit.store.test_passwords import KEY
from tui.cli import run
from tui.cli.app import app
from tui.cli.records import parse_moment


def document(frontdesk: Frontdesk, *arguments: str) -> Any:
    outcome = frontdesk(*arguments, "--json")
    assert (outcome.status, outcome.err) == (0, ""), outcome
    return json.loads(outcome.out)


def refused(frontdesk: Frontdesk, *arguments: str) -> str:
    outcome = frontdesk(*arguments)
    assert outcome.status == 1, outcome
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1
    return outcome.err


def test_extension_lives_its_life_without_an_engine(frontdesk: Frontdesk) -> None:
    made = frontdesk("extension", "add", "105", "--name", "Anna", "--right", "pickup", "--right", "listen")
    assert made.status == 0
    assert "password " in made.out
    changes = "--multi-device --max-calls unlimited --no-right listen --codec PCMA --codec G722 --hold pass"
    changed = frontdesk("extension", "set", "105", *changes.split())
    assert changed.status == 0, changed
    (row,) = document(frontdesk, "extension", "list")
    assert row == {
        "number": "105", "name": "Anna", "multi_device": True, "max_devices": 3, "max_calls": None,
        "rights": ["pickup"], "reliable_provisional": "supported",
        "hold": "pass", "codecs": ["PCMA", "G722"], "email": None, "lamp": "unregistered",
        "devices": 0, "level": None, "max_out": None, "outside_number": None, "plan": "default",
        "from_network": None,
        "forward_always": None,
        "forward_busy": None,
        "forward_no_answer": None,
        "forward_unreachable": None,
        "dnd": False,
    }  # fmt: skip
    assert frontdesk("extension", "set", "105", "--clear", "name", "--clear", "codecs").status == 0
    shown = document(frontdesk, "extension", "show", "105")
    assert (shown["name"], shown["codecs"]) == (None, [])
    assert frontdesk("extension", "remove", "105").status == 0
    assert document(frontdesk, "extension", "list") == []


def test_given_password_is_not_repeated(frontdesk: Frontdesk) -> None:
    outcome = frontdesk("extension", "add", "105", "--password", "hunter-22")
    assert outcome.status == 0
    assert "hunter-22" not in outcome.out + outcome.err


def test_made_up_password_is_given_to_programs_too(frontdesk: Frontdesk) -> None:
    first = document(frontdesk, "extension", "add", "105")
    second = document(frontdesk, "extension", "password", "105")
    assert first["number"] == second["number"] == "105"
    assert first["password"] != second["password"]


def test_people_read_tables(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "105", "--name", "Bo Chen 陈波")
    table = frontdesk("extension", "list").out
    assert "105" in table
    assert "Bo Chen 陈波" in table
    frontdesk("extension", "set", "105", "--max-calls", "unlimited")
    assert "unlimited" in frontdesk("extension", "show", "105").out
    assert "No phone is registered" in frontdesk("registration", "list").out
    assert frontdesk("records").out == "There are no calls yet.\n"
    assert frontdesk("records", "--since", "7d").out == "There was no such call.\n"
    assert "There is no operator" in frontdesk("operator", "list").out


def test_operator_lives_a_life_without_an_engine(frontdesk: Frontdesk, tmp_path: Path) -> None:
    (tmp_path / "id.pub").write_text(f"# mine\n{KEY}\n")
    assert frontdesk("operator", "add", "boss", "--password", "s3cret", "--role", "admin").status == 0
    assert frontdesk("operator", "add", "anna", "--key", str(tmp_path / "id.pub")).status == 0
    assert document(frontdesk, "operator", "show", "anna") == {
        "login": "anna", "role": "receptionist", "extension": None, "password": False, "keys": [KEY],
    }  # fmt: skip
    cleared = frontdesk("operator", "set", "anna", "--role", "viewer", "--clear", "keys")
    assert (cleared.status, "anna cannot log in now" in cleared.err) == (0, True)
    assert frontdesk("operator", "remove", "anna").status == 0
    assert "last administrator" in refused(frontdesk, "operator", "remove", "boss")
    assert [row["login"] for row in document(frontdesk, "operator", "list")] == ["boss"]
    assert "cannot read" in refused(frontdesk, "operator", "add", "eva", "--key", str(tmp_path / "none.pub"))


def test_parameter_is_got_and_set(frontdesk: Frontdesk) -> None:
    assert frontdesk("param", "set", "ring_timeout_s", "20").status == 0
    assert frontdesk("param", "get", "ring_timeout_s").out == "20\n"
    assert document(frontdesk, "param", "get")["codecs"] == ["PCMA", "PCMU", "G722", "OPUS"]
    assert frontdesk("param", "get", "codecs").out == "PCMA,PCMU,G722,OPUS\n"
    assert "5 to 600" in refused(frontdesk, "param", "set", "ring_timeout_s", "1")
    assert "5 to 600" in refused(frontdesk, "param", "set", "ring_timeout_s", "-5")


def test_records_are_listed_for_programs_people_and_spreadsheets(
    frontdesk: Frontdesk, folder: Path, tmp_path: Path
) -> None:
    store = Store.open(folder)
    store.put_record(a_record("a", 0))
    store.put_record(a_record("b", 10))
    store.close()
    assert [row["id"] for row in document(frontdesk, "records")] == ["b", "a"]
    assert [row["id"] for row in document(frontdesk, "records", "--limit", "1")] == ["b"]
    assert [row["id"] for row in document(frontdesk, "records", "--since", "2026-03-02T09:35:00Z")] == ["b"]
    assert "normal" in frontdesk("records").out
    assert frontdesk("records", "--csv", str(tmp_path / "calls.csv")).status == 0
    lines = (tmp_path / "calls.csv").read_text().splitlines()
    assert lines[0].startswith("id,linked_id,caller")
    assert len(lines) == 3
    assert "cannot write" in refused(frontdesk, "records", "--csv", str(tmp_path / "no" / "calls.csv"))


def test_time_is_read_as_people_type_it() -> None:
    assert parse_moment("2026-03-02T09:30:00Z") == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert parse_moment("2026-03-02T09:30:00+01:00") == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    assert timedelta(hours=1.9) < datetime.now(UTC) - parse_moment("2h") < timedelta(hours=2.1)


def test_running_engine_answers(frontdesk: Frontdesk, engine: Engine) -> None:
    assert frontdesk("extension", "add", "101").status == 0
    (row,) = document(frontdesk, "extension", "list")
    assert (row["lamp"], row["devices"]) == ("busy", 1)
    assert "101" in engine.office.applied[-1].extensions
    (call,) = document(frontdesk, "calls")
    assert (call["id"], call["state"], call["caller_name"]) == ("7f3a", "talking", "Anna")
    assert document(frontdesk, "lamps") == {"101": "busy", "102": "unregistered"}
    (phone,) = document(frontdesk, "registration", "list")
    assert phone["user_agent"] == "baresip"
    status = document(frontdesk, "status")
    assert (status["pid"], status["media"]["backend"], status["loop_delay_ms"]["max"]) == (4711, "native", 9.0)
    for command in ("calls", "lamps", "status"):
        assert frontdesk(command).status == 0
    assert frontdesk("registration", "remove", "101").out == "1 of extension 101 forgotten\n"
    assert "no phone of 101 is registered" in refused(frontdesk, "registration", "remove", "101")


def test_call_is_transferred(frontdesk: Frontdesk, engine: Engine) -> None:
    assert frontdesk("extension", "add", "102").status == 0
    assert frontdesk("call", "transfer", "101", "103").out == "call 7f3a goes to 103\n"
    assert frontdesk("call", "transfer", "7f3a", "103", "--as", "102").out == "call 7f3a goes to 103\n"
    assert engine.office.transferred == [("101", "103", None), ("7f3a", "103", "102")]
    assert "there is no call '7f3b'" in refused(frontdesk, "call", "transfer", "7f3b", "103")


def test_operators_act_on_calls_by_the_phone_that_is_named(frontdesk: Frontdesk, engine: Engine) -> None:
    assert "there is no extension 103" in refused(frontdesk, "call", "listen", "7f3a", "--as", "103")
    assert frontdesk("extension", "add", "103").status == 0
    assert frontdesk("call", "listen", "7f3a", "--as", "103").out == "103 comes into call 7f3a (listen)\n"
    assert frontdesk("call", "whisper", "101", "--as", "103", "--side", "102").status == 0
    assert frontdesk("call", "barge-in", "101", "--as", "103").status == 0
    assert frontdesk("call", "take-over", "101", "--as", "103").status == 0
    assert frontdesk("call", "override", "104", "--as", "103", "--reason", "a visitor").status == 0
    assert frontdesk("call", "pull", "7f3a", "--as", "103").status == 0
    assert frontdesk("call", "pickup", "101", "--as", "103").status == 0
    assert frontdesk("call", "park", "7f3a", "--slot", "7").out == "the call waits on slot 7\n"
    assert frontdesk("call", "record", "7f3a").out == "recorded to /office/recordings/1.wav\n"
    assert engine.office.deeds == [
        ("listen", "7f3a", None, "103"),
        ("whisper", "7f3a", "102", "103"),
        ("barge-in", "7f3a", None, "103"),
        ("take-over", "7f3a", None, "103"),
        ("override", "104", "103", "a visitor"),
        ("pull", "7f3a", "103"),
        ("pickup", "7f3a", "103"),
        ("park", "7f3a", "7", None),
        ("record", "7f3a", "owner"),
    ]
    assert frontdesk("call", "listen", "7f3a").status == 2  # --as is missing


def test_the_audit_log_is_listed_newest_first(frontdesk: Frontdesk) -> None:
    assert frontdesk("extension", "add", "105").status == 0
    assert "Nothing of the kind was done" in frontdesk("audit", "--since", "2999-01-01").out
    assert frontdesk("extension", "remove", "999").status == 1
    (told,) = json.loads(frontdesk("audit", "--outcome", "refused", "--json").out)
    assert (told["action"], told["target"]) == ("remove-extension", "999")
    assert json.loads(frontdesk("audit", "--who", "owner", "--about", "extension", "--json").out)
    assert json.loads(frontdesk("audit", "--who", "nobody", "--json").out) == []
    refused(frontdesk, "extension", "add", "105")
    newest, _removal, oldest = document(frontdesk, "audit")
    assert list(newest) == ["at", "who", "as", "action", "target", "outcome", "reason"]
    assert (newest["who"], newest["action"], newest["target"]) == ("owner", "add-extension", "105")
    assert (newest["outcome"], oldest["outcome"]) == ("refused", "done")
    assert "exists already" in newest["reason"]
    assert len(document(frontdesk, "audit", "--limit", "1")) == 1
    assert document(frontdesk, "audit", "--since", "2999-01-01") == []


def test_call_is_released_by_id_or_extension(frontdesk: Frontdesk, engine: Engine) -> None:
    assert frontdesk("call", "release", "101").out == "call 7f3a is released\n"
    assert engine.office.released == [("101", None)]
    assert "101 has no call: see 'frontdesk calls'" in refused(frontdesk, "call", "release", "101")
    assert "there is no call '7f3a'" in refused(frontdesk, "call", "release", "7f3a")


def test_certificate_is_shown_and_read_again(frontdesk: Frontdesk, engine: Engine) -> None:
    assert "does not listen for TLS" in refused(frontdesk, "certificate", "show")
    engine.office.shown_certificate = a_certificate("frontdesk", is_own=True)
    assert document(frontdesk, "certificate", "show") == {
        "subject": "frontdesk", "expires_at": "2026-01-01T00:00:00.000Z", "fingerprint": "AB:CD",
        "certificate": "/office/tls/cert.pem", "key": "/office/tls/key.pem", "own": True,
    }  # fmt: skip
    engine.office.next_certificate = a_certificate("office.example.org", is_own=False)
    read = frontdesk("certificate", "reload").out
    assert "office.example.org" in read
    assert "made by" in read
    assert "others" in read


def test_watch_prints_one_event_a_line_until_the_engine_ends(frontdesk: Frontdesk, engine: Engine) -> None:
    subscribe = engine.office.bus.subscribe

    def subscribe_and_publish(limit: int = 1000) -> Any:
        subscription = subscribe(limit)
        engine.office.bus.publish(LampChanged(START, "101", Lamp.RINGING))
        engine.loop.call_later(0.05, lambda: engine.loop.create_task(engine.control.close()))
        return subscription

    engine.office.bus.subscribe = subscribe_and_publish  # type: ignore[method-assign]
    outcome = frontdesk("watch", "--json")
    assert outcome.status == 0
    event = json.loads(outcome.out)
    assert event == {
        "at": "2026-01-01T00:00:00.000Z",
        "event": "lamp.changed",
        "call": None,
        "extension": "101",
        "lamp": "ringing",
    }


def test_people_who_watch_read_how_a_call_ended_and_that_the_engine_stopped(
    frontdesk: Frontdesk, engine: Engine
) -> None:
    subscribe = engine.office.bus.subscribe

    def subscribe_and_publish(limit: int = 1000) -> Any:
        subscription = subscribe(limit)
        engine.office.bus.publish(CallEnded(START, CallId("a"), a_record("a", 0)))
        engine.loop.call_later(0.05, lambda: engine.loop.create_task(engine.control.close()))
        return subscription

    engine.office.bus.subscribe = subscribe_and_publish  # type: ignore[method-assign]
    ended, stopped = frontdesk("watch").out.splitlines()
    record = a_record("a", 0)
    assert f"call.ended a {record.caller} to {record.callee}, " in ended
    assert f"{record.cause}, released by {record.released_by.value}" in ended
    assert stopped == "The engine has stopped."


def test_live_commands_say_that_no_engine_runs(frontdesk: Frontdesk, folder: Path) -> None:
    for arguments in (("status",), ("watch",), ("console",), ("call", "release", "101")):
        assert f"no engine runs on {folder}: start it with 'frontdesk run'" in refused(frontdesk, *arguments)
    assert f"no engine runs on {folder}: there is nothing to stop" in refused(frontdesk, "stop")
    assert not folder.exists()


def test_missing_office_is_not_made_by_looking(frontdesk: Frontdesk, folder: Path) -> None:
    for arguments in (("extension", "list"), ("calls",), ("records",), ("param", "get")):
        assert "there is no office in" in refused(frontdesk, *arguments)
    assert not folder.exists()


def test_lists_are_empty_without_an_engine(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "105")
    assert document(frontdesk, "calls") == []
    assert document(frontdesk, "lamps") == {"105": "unregistered"}
    assert document(frontdesk, "registration", "list") == []


def test_refusal_is_one_line_and_status_1(frontdesk: Frontdesk, folder: Path) -> None:
    frontdesk("extension", "add", "105")
    assert "exists already" in refused(frontdesk, "extension", "add", "105")
    assert "no extension 109" in refused(frontdesk, "extension", "remove", "109")
    assert "2 to 15 digits" in refused(frontdesk, "extension", "add", "a\nb")
    (folder / "office.db").write_bytes(b"love letters " * 400)
    assert "damaged" in refused(frontdesk, "extension", "list")


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("extension", "add"),
        ("extension", "add", "105", "--hold", "maybe"),
        ("extension", "add", "105", "--right", "fly"),
        ("extension", "add", "105", "--max-calls", "many"),
        ("extension", "set", "105"),
        ("operator", "add", "anna", "--role", "king"),
        ("operator", "set", "anna"),
        ("records", "--since", "soon"),
        ("run", "--headless", "--sip", "1.2.3:5060"),
        ("run", "--headless", "--media-ports", "9"),
        ("run", "--headless", "--ready-fd", "999"),
        ("run", "--no-such-option"),
    ],
)
def test_wrong_usage_is_status_2(frontdesk: Frontdesk, arguments: tuple[str, ...]) -> None:
    assert frontdesk(*arguments).status == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("extension", "add", "105", "--right", "fly"), "'fly' is not known: give one of barge-in, overstep,"),
        (("extension", "add", "105", "--max-devices", "x"), "'x' cannot be used: give a whole number, 1 or more"),
        (("operator", "add", "anna", "--role", "king"), "'king' is not known: give one of viewer, receptionist,"),
        (("records", "--limit", "0"), "'0' cannot be used: give a whole number, 1 or more"),
        (("stop", "--drain", "nan"), "'nan' cannot be used: give seconds, 0 or more"),
        (("extension", "add"), "extension add [OPTIONS] NUMBER\n"),
    ],
)
def test_wrong_usage_is_explained_in_our_words(
    frontdesk: Frontdesk, arguments: tuple[str, ...], words: str
) -> None:
    assert words in frontdesk(*arguments).err


def test_help_names_the_fields_that_can_be_cleared(frontdesk: Frontdesk) -> None:
    for command, fields in (("extension", extension_commands.CLEARABLE), ("operator", operator_commands.CLEARABLE)):
        line = f"Empty {', '.join(fields[:-1])} or {fields[-1]}."
        assert line in " ".join(frontdesk(command, "set", "--help").out.split())


@pytest.mark.parametrize("arguments", [("status",), ("extension", "list"), ("stop",), ("extension", "add", "105")])
def test_state_folder_that_cannot_be_one_is_named(
    folder: Path, frontdesk: Frontdesk, arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("a file")
    assert refused(frontdesk, *arguments) == f"frontdesk: {folder} is not a folder: choose another with --state\n"
    assert run([*arguments, "--state", ""]) == 1
    assert "the state folder has no name" in capfd.readouterr().err


def test_state_folder_may_come_before_the_command(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--state", str(folder), "extension", "add", "105"]) == 0
    assert (folder / "office.db").exists()


def test_every_command_shows_an_example(capfd: pytest.CaptureFixture[str]) -> None:
    groups = {
        group.name: group.typer_instance.registered_commands
        for group in app.registered_groups
        if group.typer_instance
    }
    paths = [[str(c.name)] for c in app.registered_commands]
    paths += [[str(name), str(c.name)] for name, commands in groups.items() for c in commands]
    assert len(paths) > 20
    for name in groups:
        assert run([str(name), "--help"]) == 0
        assert f"Example: frontdesk {name} " in capfd.readouterr().out
    for path in paths:
        assert run([*path, "--help"]) == 0
        out = capfd.readouterr().out
        assert f"Example: frontdesk {' '.join(path)}" in out
        assert "--state" in out


def test_the_list_of_commands_cuts_nothing_off(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capfd.readouterr().out
    assert "..." not in out.partition("Commands:")[2]
    assert "  run              Run the engine.\n" in out


def test_version_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capfd.readouterr().out.startswith("frontdesk 0.")
