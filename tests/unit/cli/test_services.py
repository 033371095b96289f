"""``frontdesk service``, ``group``, ``forward``, ``dnd`` and ``voicemail`` without an engine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Frontdesk


def test_a_group_lives_its_life(frontdesk: Frontdesk) -> None:
    for number in ("101", "102"):
        assert frontdesk("extension", "add", number).status == 0
    assert frontdesk("group", "add", "600", "--kind", "hunt", "--member", "101", "--order", "random").status == 0
    assert frontdesk("extension", "set", "102", "--group", "600").status == 0
    (group,) = json.loads(frontdesk("group", "list", "--json").out)
    assert group == {"number": "600", "kind": "hunt", "members": ["101", "102"], "order": "random", "timeout": 20}
    assert frontdesk("group", "set", "600", "--no-member", "101", "--timeout", "9").status == 0
    shown = json.loads(frontdesk("group", "show", "600", "--json").out)
    assert (shown["members"], shown["timeout"]) == (["102"], 9)
    assert frontdesk("route", "add", "--called", "77", "--group", "600").status == 0
    assert "is led to by route" in frontdesk("group", "remove", "600").err
    assert frontdesk("group", "add", "601", "--kind", "ring", "--member", "999").status == 1
    assert frontdesk("route", "remove", "1").status == 0
    assert frontdesk("group", "remove", "600").status == 0
    assert json.loads(frontdesk("group", "list", "--json").out) == []


def test_forwarding_needs_the_right_and_is_cleared(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    refused = frontdesk("forward", "101", "--busy", "102")
    assert refused.status == 1
    assert "--right forward-busy" in refused.err
    frontdesk("extension", "set", "101", "--right", "forward-busy")
    assert frontdesk("forward", "101", "--busy", "102").status == 0
    assert json.loads(frontdesk("extension", "show", "101", "--json").out)["forward_busy"] == "102"
    assert frontdesk("forward", "101", "--clear").status == 0
    assert json.loads(frontdesk("extension", "show", "101", "--json").out)["forward_busy"] is None
    assert frontdesk("forward", "101").status == 2
    assert frontdesk("dnd", "101", "on").status == 0
    assert json.loads(frontdesk("extension", "show", "101", "--json").out)["dnd"] is True


def test_triggers_are_added_and_removed(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    added = json.loads(
        frontdesk(
            "service", "trigger", "add", "--number", "800", "--service", "attendant", "--set", "1=101", "--json"
        ).out
    )["id"]
    rows = {row["id"]: row for row in json.loads(frontdesk("service", "trigger", "list", "--json").out)}
    assert rows[added]["settings"] == {"1": "101"}
    assert frontdesk("service", "trigger", "add", "--number", "800", "--service", "echo").status == 1
    assert "there is no service" in frontdesk("service", "trigger", "add", "--number", "8", "--service", "x").err
    changed = ("service", "trigger", "set", str(added))
    assert frontdesk(*changed, "--number", "801", "--set", "2=102").status == 0
    rows = {row["id"]: row for row in json.loads(frontdesk("service", "trigger", "list", "--json").out)}
    assert (rows[added]["number"], rows[added]["settings"]) == ("801", {"1": "101", "2": "102"})
    assert frontdesk(*changed, "--clear", "settings").status == 0
    assert frontdesk(*changed).status == 2
    assert frontdesk("service", "trigger", "set", "999", "--number", "8").status == 1
    assert frontdesk("service", "trigger", "remove", str(added)).status == 0
    services = {each["name"]: each for each in json.loads(frontdesk("service", "list", "--json").out)}
    assert services["barge_in"]["triggers"] == ["*75*"]
    assert services["barge_in"]["last_error"] is None


def test_triggers_before_and_after_calls_name_extensions_and_lines(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    frontdesk("trunk", "add", "line", "--host", "198.51.100.1")
    add = ("service", "trigger", "add", "--service", "night")
    for point in ("call-start", "call-end"):
        for number in ("101", "line", "*"):
            assert frontdesk(*add, "--point", point, "--number", number).status == 0
        assert frontdesk(*add, "--point", point, "--number", "other").status == 1
    assert "there is no extension line" in frontdesk(*add, "--point", "busy", "--number", "line").err


def test_triggers_at_times_say_when(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    add = ("service", "trigger", "add", "--service", "night", "--point", "schedule", "--number", "*")
    assert frontdesk(*add, "--set", "at=18:00", "--set", "days=mo-fr").status == 0
    assert frontdesk(*add, "--set", "every=15").status == 0
    for wrong in ("x=1", "at=25:00", "at=18:00:00", "every=0"):
        assert frontdesk(*add, "--set", wrong).status == 1
    assert "no time at which it begins" in frontdesk(*add).err
    assert "no schedule 'office'" in frontdesk(*add, "--set", "at=8:00", "--set", "schedule=office").err
    assert "no day of the week" in frontdesk(*add, "--set", "at=8:00", "--set", "days=someday").err
    document = frontdesk("export").out
    assert "call-start" not in document
    assert 'point = "schedule"' in document


def test_a_box_is_listed(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    assert json.loads(frontdesk("voicemail", "list", "101", "--json").out) == []
    assert frontdesk("voicemail", "list", "999").status == 1
    assert json.loads(frontdesk("recordings", "list", "--json").out) == []


def test_the_text_of_a_service_is_printed(frontdesk: Frontdesk) -> None:
    frontdesk("extension", "add", "101")
    assert "function service.run(call)" in frontdesk("service", "show", "echo").out
    assert json.loads(frontdesk("service", "show", "echo", "--json").out)["own"] is False
    assert frontdesk("service", "show", "../secrets").status == 1
    assert "there is no service 'nothing'" in frontdesk("service", "show", "nothing").err


def test_a_secret_parameter_is_never_told(frontdesk: Frontdesk, tmp_path: Path) -> None:
    frontdesk("extension", "add", "101")
    frontdesk("operator", "add", "anna", "--role", "admin", "--password", "correct horse battery")
    assert "hunter2" not in frontdesk("param", "set", "mail_password", "hunter2").out
    assert frontdesk("param", "get", "mail_password").out.strip() == "(kept)"
    assert json.loads(frontdesk("param", "get", "--json").out)["mail_password"] == "(kept)"
    document = frontdesk("export").out
    assert "hunter2" not in document
    assert 'mail_password = "hunter2"' in frontdesk("export", "--secrets").out
    file = tmp_path / "office.toml"
    file.write_text(document)
    outcome = frontdesk("import", str(file))
    assert (outcome.status, "hunter2" in outcome.out) == (0, False)
    assert frontdesk("param", "get", "mail_password").out.strip() == "(kept)"
    assert "hunter2" not in frontdesk("param", "set", "mail_password", "hunter2\n").err
    file.write_text(document.replace("[param]", '[param]\nmail_password = "hunter3"'))
    changes = frontdesk("import", str(file), "--dry-run").out
    assert "param mail_password" in changes
    assert "hunter" not in changes
    assert frontdesk("param", "set", "mail_password", "off").status == 0
    assert frontdesk("param", "get", "mail_password").out.strip() == "off"
