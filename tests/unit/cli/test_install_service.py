"""The systemd unit asks for what the office needs and for nothing more."""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path

import pytest

from engine.core.errors import RefusedError
from engine.core.options import EngineOptions, HostPort
from tests.unit.cli.conftest import Frontdesk
from tui.cli import install_service
from tui.cli.install_service import demand_reachable, unit_text


def unit_of(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser["Service"]


def unit(
    *sip: HostPort, arguments: tuple[str, ...] = (), command: str = "/opt/frontdesk/bin/frontdesk"
) -> configparser.SectionProxy:
    options = EngineOptions(Path("/var/lib/frontdesk"), sip=sip, drain_s=40)
    return unit_of(unit_text(options, [*arguments], [command]))


@pytest.fixture(autouse=True)
def state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's folder is the test's, which every command of a test is told."""
    monkeypatch.setattr(install_service, "STATE", str(folder))


def test_printed_unit_is_for_a_watched_and_confined_service(frontdesk: Frontdesk) -> None:
    outcome = frontdesk("install-service", "--print", "--sip", "192.0.2.1:5060")
    assert outcome.status == 0
    service = unit_of(outcome.out)
    assert service["ExecStart"].partition(" run ")[2].startswith("--headless --sip 192.0.2.1:5060")
    assert service["Type"] == "notify"
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert int(service["WatchdogSec"]) > 0


def test_what_peers_outside_see_reaches_the_service(frontdesk: Frontdesk) -> None:
    options = ("--advertise", "office.example.org", "--local-net", "10.1.2.3/8", "--local-net", "fd00::/8")
    outcome = frontdesk("install-service", "--print", *options)
    assert outcome.status == 0
    started = unit_of(outcome.out)["ExecStart"]
    assert "--advertise office.example.org --local-net 10.0.0.0/8 --local-net fd00::/8" in started


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--advertise", "203.0.113.7:5060"), "cannot be advertised"),
        (("--local-net", "10.0.0.0/8"), "--advertise HOST"),
        (("--advertise", "office.test", "--local-net", "ten"), "'ten' is no network"),
    ],
)
def test_what_peers_outside_cannot_see_is_refused(
    frontdesk: Frontdesk, options: tuple[str, ...], says: str
) -> None:
    outcome = frontdesk("install-service", "--print", *options)
    assert outcome.status != 0
    assert says in " ".join(outcome.err.split())


def test_calls_get_their_time_to_end() -> None:
    assert int(unit()["TimeoutStopSec"]) > 40


def test_limits_fit_the_media_ports() -> None:
    assert int(unit()["LimitNOFILE"]) > 10_000
    assert int(unit()["LimitRTPRIO"]) >= 1


@pytest.mark.parametrize(
    ("sip", "capability"),
    [
        ((HostPort("", 506),), "CAP_NET_BIND_SERVICE"),
        ((HostPort("", 5060),), ""),
        ((HostPort("", 0),), ""),
        ((), ""),
    ],
)
def test_low_port_and_nothing_else_needs_a_capability(sip: tuple[HostPort, ...], capability: str) -> None:
    service = unit(*sip)
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == capability


def test_homes_are_hidden_unless_it_is_installed_there() -> None:
    assert unit()["ProtectHome"] == "yes"
    assert unit(command="/home/anna/frontdesk")["ProtectHome"] == "read-only"


def test_words_reach_the_engine_as_they_are() -> None:
    service = unit(arguments=("--media", "100% $HOME"), command="/opt/front desk/frontdesk")
    assert service["ExecStart"] == '"/opt/front desk/frontdesk" run --headless --media "100%% $$HOME"'


def test_another_folder_is_refused(frontdesk: Frontdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_service, "STATE", "/var/lib/frontdesk")
    assert "frontdesk backup" in frontdesk("install-service", "--print").err


def test_without_root_it_says_how(frontdesk: Frontdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    outcome = frontdesk("install-service")
    assert outcome.status == 1
    assert "sudo" in outcome.err


def test_root_gets_the_unit_and_what_to_do_next(
    frontdesk: Frontdesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install_service, "UNIT", tmp_path / "frontdesk.service")
    monkeypatch.setattr(install_service, "demand_reachable", lambda path: None)
    outcome = frontdesk("install-service")
    assert outcome.status == 0, outcome.err
    assert "systemctl daemon-reload && systemctl enable --now frontdesk" in outcome.out
    assert unit_of((tmp_path / "frontdesk.service").read_text())["Type"] == "notify"
    assert (tmp_path / "frontdesk.service").stat().st_mode & 0o777 == 0o644


def test_machine_without_systemd_is_told(
    frontdesk: Frontdesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install_service, "UNIT", tmp_path / "nowhere" / "frontdesk.service")
    assert "no systemd" in frontdesk("install-service").err


def test_installation_that_the_service_cannot_read_is_refused(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    program = hidden / "frontdesk"
    program.symlink_to(sys.executable)
    with pytest.raises(RefusedError, match="may not read"):
        demand_reachable(str(program))
