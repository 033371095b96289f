"""A real Frontdesk engine as a subprocess, and its command line."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live import processes
from tests.live.network import Network, host_port
from tests.live.phone import Account

COMMAND = Path(os.environ.get("FRONTDESK_COMMAND") or Path(sys.executable).with_name("frontdesk"))
"""The command under test: this environment's, or another installation's."""
SIP_PORT, SSH_PORT = 29460, 29422
"""Not the defaults: an office may be open on this machine, on every address."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left: exit status and both outputs."""

    status: int
    out: str
    err: str


@dataclass(slots=True)
class Office:
    """One state folder and the addresses its engine listens on."""

    state: Path
    host: str
    ipv6_port: int
    media_ports: range
    ssh_port: int = SSH_PORT
    extra: tuple[str, ...] = ()
    tls: bool = False
    """Whether it listens for TLS, too."""
    prefix: tuple[str, ...] = ()
    """What the engine's command is put behind, such as ``taskset``."""
    process: subprocess.Popen[bytes] | None = None
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where IPv4 phones register."""
        return host_port(self.host, SIP_PORT)

    @property
    def ipv6_address(self) -> str:
        """Where IPv6 phones register."""
        return host_port("::1", self.ipv6_port)

    @property
    def tls_address(self) -> str:
        """Where IPv4 phones register over TLS."""
        return host_port(self.host, SIP_PORT + 1)

    @property
    def ipv6_tls_address(self) -> str:
        return host_port("::1", self.ipv6_port + 1)

    @property
    def log_file(self) -> Path:
        return self.state.with_name(self.state.name + ".log")

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def arguments(self) -> list[str]:
        """The command that runs this office's engine."""
        first, last = self.media_ports[0], self.media_ports[-1]
        tls = ["--tls", self.tls_address, "--tls", self.ipv6_tls_address] if self.tls else []
        return [
            *self.prefix, str(COMMAND), "run", "--headless", "--state", str(self.state),
            "--sip", self.address, "--sip", self.ipv6_address, "--ssh", host_port(self.host, self.ssh_port),
            "--media-ports", f"{first}-{last}", "--drain", "1", *tls, *self.extra,
        ]  # fmt: skip

    def start(self, within_s: float = 20.0) -> None:
        """Start the engine; returns once REGISTER is accepted."""
        ready, theirs = os.pipe()
        try:
            self.process = processes.start(
                [*self.arguments(), "--ready-fd", str(theirs)], log=self.log_file, pass_fds=(theirs,)
            )
        finally:
            os.close(theirs)
        with os.fdopen(ready, "rb") as lines:
            readable, _, _ = select.select([lines], [], [], within_s)
            line = lines.readline() if readable else b""
        if line != b"ready\n":
            processes.stop(self.process)
            raise AssertionError(f"the engine is not ready after {within_s:g} s: {line!r}\n{self.log()[-4000:]}")

    def stop(self) -> None:
        """Stop the engine as systemd does; it must exit with 0 and leave no process."""
        process, self.process = self.process, None
        assert process, "the office is not open"
        died_before = process.poll()
        if died_before is None:
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(15)
        except subprocess.TimeoutExpired:
            processes.kill_group(process)
            process.wait()
            raise AssertionError(f"the engine did not stop within 15 s\n{self.log()[-4000:]}") from None
        left_something = processes.kill_group(process)
        assert died_before is None, f"the engine died with status {died_before}\n{self.log()[-4000:]}"
        assert status == 0, f"the engine ended with status {status}\n{self.log()[-4000:]}"
        assert not left_something, "the engine left a process behind"

    def kill(self) -> None:
        """End the engine as a power cut would."""
        process, self.process = self.process, None
        assert process
        process.send_signal(signal.SIGKILL)
        process.wait()

    def run(self, *arguments: str, text: str | None = None) -> Outcome:
        """Run a command on this office, whatever its outcome."""
        done = subprocess.run(
            [str(COMMAND), *arguments, "--state", str(self.state)],
            input=text, capture_output=True, text=True, timeout=30, check=False,
            env={**os.environ, processes.MARK: str(os.getpid())},
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def cli(self, *arguments: str) -> str:
        """Run a command that must succeed; its standard output."""
        outcome = self.run(*arguments)
        assert outcome.status == 0, f"{arguments} ended with {outcome.status}: {outcome.err}{outcome.out}"
        return outcome.out

    def json(self, *arguments: str) -> Any:
        """The one JSON document a command prints."""
        return json.loads(self.cli(*arguments, "--json"))

    def json_whatever_status(self, *arguments: str) -> Any:
        """The one JSON document of a command whose status tells something, too."""
        return json.loads(self.run(*arguments, "--json").out)

    def refuses(self, *arguments: str) -> str:
        """Run a command that must be refused: status 1 and one line on standard error, which is returned."""
        outcome = self.run(*arguments)
        assert outcome.status == 1, f"{arguments} ended with {outcome.status}: {outcome.err}{outcome.out}"
        line = outcome.err.strip()
        assert len(line.splitlines()) == 1, f"expected one line, got: {outcome.err!r}"
        return line

    def extension(self, number: str, *options: str, password: str | None = None) -> str:
        """Add an extension; its password."""
        self.passwords[number] = password or f"pw-{number}-Xy7"
        self.cli("extension", "add", number, "--password", self.passwords[number], *options)
        return self.passwords[number]

    def account(self, number: str, *, ipv6: bool = False, **changes: Any) -> Account:
        """What to type into a phone for ``number``."""
        if changes.get("transport") == "tls":
            address = self.ipv6_tls_address if ipv6 else self.tls_address
        else:
            address = self.ipv6_address if ipv6 else self.address
        return Account(number, **{"password": self.passwords.get(number, ""), "office": address, **changes})

    @contextmanager
    def watch(self) -> Iterator[Path]:
        """Run ``frontdesk watch --json`` meanwhile; yields the file its lines go to, once it follows."""
        log = self.state.with_name("watch.jsonl")
        log.unlink(missing_ok=True)
        process = processes.start([COMMAND, "watch", "--json", "--state", self.state], log=log)
        try:
            for attempt in range(10):
                if log.exists() and "configuration.changed" in log.read_text():
                    break
                self.cli("param", "set", "office_name", f"Watched {attempt}")
            yield log
        finally:
            processes.stop(process)


def new_office(folder: Path, network: Network, *extra: str) -> Office:
    """An office that has not been opened yet, on addresses of its own."""
    return Office(folder / "state", network.host(), network.ports(2)[0], network.ports(200), extra=extra)


@contextmanager
def open_office(
    folder: Path, network: Network, *extra: str, prefix: tuple[str, ...] = (), tls: bool = False
) -> Iterator[Office]:
    """An office whose engine runs; stopped cleanly at the end, and killed when that fails."""
    office = new_office(folder, network, *extra)
    office.prefix, office.tls = prefix, tls
    office.start()
    try:
        yield office
    except BaseException:
        if office.process:
            processes.stop(office.process)
        raise
    else:
        office.stop()
    finally:
        if office.process:
            processes.kill_group(office.process)
