"""One visit of the doctor: every check, in the order of the report."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import __version__
from engine.core.errors import RefusedError
from engine.core.options import SIP_PORT, TLS_PORT, EngineOptions, HostPort
from engine.core.params import PARAMS
from engine.core.paths import DATABASE, TLS_CERTIFICATE, TLS_KEY
from engine.desk.client import EngineClient, NoEngineError
from engine.desk.commands import GetStatus, StatusReport
from engine.doctor import folder as folders
from engine.doctor import keys, machine, outside, ports
from engine.doctor.finding import Finding, failed, ok
from engine.store.folder import look_into
from engine.store.lock import running_pid


@dataclass(frozen=True, slots=True)
class Patient:
    """The office to look at: how it is or would be run, and what its engine says if one runs."""

    options: EngineOptions
    status: StatusReport | None

    @property
    def pid(self) -> int:
        """Of its engine; 0, ourselves, while none runs."""
        return self.status.pid if self.status is not None else 0

    def listens(self, kind: str) -> frozenset[tuple[str, int]]:
        """The (host, port) of its engine's listeners of one kind."""
        addresses = [address for known, address in self.status.listeners if known == kind] if self.status else []
        return frozenset(
            (host.strip("[]"), int(port)) for host, _, port in (each.rpartition(":") for each in addresses)
        )


def examine(options: EngineOptions) -> Iterator[Finding]:
    """Everything, one finding after the other; changes nothing and raises nothing."""
    patient, answer = _meet(options)
    params = _stored_params(options.folder)
    yield ok(
        "frontdesk",
        f"{__version__} on Python {platform.python_version()}, {platform.system()} {platform.release()}",
    )
    yield answer
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("state folder", lambda: folders.check_folder(options.folder)),
        ("database", lambda: folders.check_database(options.folder)),
        ("disk", lambda: folders.check_disk(options.folder)),
        ("ports", lambda: _check_ports(patient)),
        ("advertised address", lambda: outside.check_advertised(options)),
        ("real-time priority", lambda: [_check_real_time(patient)]),
        ("open files", lambda: [machine.check_open_files(*options.media_ports, patient.pid)]),
        ("codecs", lambda: machine.check_codecs(params["codecs"])),
        ("keys", lambda: _check_keys(options.folder, params)),
        ("clock", lambda: [machine.check_clock()]),
    ]
    for name, check in checks:
        try:
            yield from check()
        except (OSError, RefusedError) as error:
            yield failed(
                name, f"cannot be looked at: {error}", "run the doctor as the office's own user, or as root"
            )


def _meet(options: EngineOptions) -> tuple[Patient, Finding]:
    try:
        with EngineClient.connect(options.folder) as client:
            status: StatusReport = client.ask(GetStatus())
    except NoEngineError:
        pid = running_pid(options.folder)
        if pid is not None:
            mend = f"see its log; end it with: kill {pid}"
            return Patient(options, None), failed("engine", f"it runs (pid {pid}) and does not answer", mend)
        return Patient(options, None), ok(
            "engine", "does not run; its ports are looked at as if it were started now"
        )
    except RefusedError as error:
        return Patient(options, None), failed("engine", error.what, error.mend)
    load = f"{_count(status.calls, 'call')}, {_count(status.registrations, 'phone')}"
    return Patient(options, status), ok(
        "engine", f"runs for {status.uptime_s / 60:.0f} min (pid {status.pid}), {load}"
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _check_ports(patient: Patient) -> Iterator[Finding]:
    options, is_running = patient.options, patient.status is not None
    for where in options.sip or (HostPort("", SIP_PORT),):
        for kind, name, is_stream in (("udp", "SIP over UDP", False), ("tcp", "SIP over TCP", True)):
            ours = patient.listens(kind)
            if ours or not is_running:
                yield ports.check_door(ports.Door(name, where, is_stream, "--sip HOST:PORT"), ours)
    ours = patient.listens("tls")
    if ours or not is_running:
        for where in options.tls or (() if options.sip or options.tls == () else (HostPort("", TLS_PORT),)):
            yield ports.check_door(ports.Door("SIP over TLS", where, True, "--tls HOST:PORT"), ours)
    ours = patient.listens("ssh")
    if ours or not is_running:
        yield ports.check_door(ports.Door("SSH console", options.ssh, True, "--ssh HOST:PORT"), ours)
    yield ports.check_media(*options.media_ports, is_running)


def _check_real_time(patient: Patient) -> Finding:
    """Of the engine that runs, else of the one that this user would start."""
    if patient.status is not None:
        return machine.real_time(patient.status.media_is_real_time)
    return machine.real_time(machine.may_go_first())


def _check_keys(folder: Path, params: Mapping[str, Any]) -> Iterator[Finding]:
    yield from keys.check_ssh_key(folder)
    certificate, key = params["tls_certificate"], params["tls_key"]
    if certificate:
        yield from keys.check_certificate(Path(certificate), Path(key or certificate), is_wanted=True)
    else:
        yield from keys.check_certificate(folder / TLS_CERTIFICATE, folder / TLS_KEY)


def _stored_params(folder: Path) -> Mapping[str, Any]:
    """The site's parameters as they are stored, read without opening the office; defaults where they are not."""
    values = {name: param.default for name, param in PARAMS.items()}
    path = folder / DATABASE
    if path.exists():
        # what is wrong with the database is a finding of its own
        with suppress(sqlite3.Error, ValueError), closing(look_into(path)) as connection:
            for name, text in connection.execute("SELECT name, value FROM param"):
                if name in PARAMS:
                    values[name] = PARAMS[name].read(text)
    return values
