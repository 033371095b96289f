"""A carrier: Kamailio from Debian, which registers lines with a password and carries calls both ways."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.live import processes
from tests.live.network import Network, host_port

CONFIGURATION = Path(__file__).with_name("kamailio.cfg")
_MODULE_FOLDERS = ("/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules")
SIP_PORT, TLS_PORT = 5060, 5061
DOMAIN = "carrier.test"
"""The realm of its challenges."""


@dataclass(frozen=True, slots=True)
class CarrierTls:
    """The certificate that the carrier shows, as PEM files."""

    certificate: Path
    key: Path


@dataclass(slots=True)
class Carrier:
    """A running Kamailio. What it carries to the outside goes to ``outside``, a phone of the test."""

    host: str
    port: int
    outside: str
    """``host:port`` of the one phone outside; its calls are carried to the line."""
    log_file: Path
    process: subprocess.Popen[bytes]
    tls_port: int | None = None
    passwords: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return host_port(self.host, self.port)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextmanager
def open_carrier(
    folder: Path,
    network: Network,
    passwords: Mapping[str, str],
    *,
    outside: str,
    host: str | None = None,
    port: int = SIP_PORT,
    tls: CarrierTls | None = None,
    tls_port: int = TLS_PORT,
    max_expires: int = 3600,
    min_expires: int = 10,
    number_in_uri: bool = True,
    demand: str = "",
) -> Iterator[Carrier]:
    """Run a carrier on an address of its own that knows the lines of ``passwords``, user to password.

    Calls from ``outside`` reach the first of them; the number dialled stands in the Request-URI, or with
    ``number_in_uri`` false only in To and P-Called-Party-ID, as some carriers do it. ``demand`` is script that an
    INVITE of a line must pass first.
    """
    processes.needs("kamailio")
    folder.mkdir(parents=True, exist_ok=True)
    host = host or network.host()
    modules = next((path for path in _MODULE_FOLDERS if Path(path).exists()), None)
    assert modules is not None, "Kamailio has no folder of modules"
    outside_host = outside.rpartition(":")[0].strip("[]")
    listen = [f"listen={kind}:{host_port(host, port)}" for kind in ("udp", "tcp")]
    if tls is not None:
        listen.append(f"listen=tls:{host_port(host, tls_port)}")
        (folder / "tls.cfg").write_text(
            f"[server:default]\nmethod = TLSv1.2+\nprivate_key = {tls.key}\ncertificate = {tls.certificate}\n"
        )
    values = {
        "listen": "\n".join(listen),
        "modules": modules,
        "enable_tls": "enable_tls=yes" if tls else "",
        "load_tls": f'loadmodule "tls.so"\nmodparam("tls", "config", "{folder / "tls.cfg"}")' if tls else "",
        "max_expires": str(max_expires),
        "min_expires": str(min_expires),
        "domain": DOMAIN,
        "passwords": "\n".join(
            [f'    $sht(password=>{user}) = "{word}";' for user, word in passwords.items()]
            + [f'    $sht(password=>line) = "{next(iter(passwords))}";']
        ),
        "outside": outside,
        "outside_host": f"[{outside_host}]" if ":" in outside_host else outside_host,
        "number_in_uri": "$rU = $var(number);" if number_in_uri else "",
        "demand": demand,
    }
    text = CONFIGURATION.read_text()
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    configuration = folder / "kamailio.cfg"
    configuration.write_text(text)
    log = folder / "log"
    process = processes.start(
        ["kamailio", "-f", configuration, "-DD", "-E", "-m", "32", "-M", "4", "-Y", folder, "-P", folder / "pid"],
        log=log,
        cwd=folder,
    )
    carrier = Carrier(host, port, outside, log, process, tls_port if tls else None, dict(passwords))
    try:
        processes.wait_until(lambda: _answers(carrier), 10, f"Kamailio listens\n{carrier.log()[-2000:]}")
        yield carrier
    finally:
        processes.stop(process, how=signal.SIGTERM, within_s=5)


def _answers(carrier: Carrier) -> bool:
    """Whether it answers OPTIONS."""
    assert carrier.process.poll() is None, f"Kamailio has ended: {carrier.log()[-3000:]}"
    family = socket.AF_INET6 if ":" in carrier.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.bind((carrier.host, 0))
        asking.settimeout(0.2)
        here = host_port(*asking.getsockname()[:2])
        question = (
            f"OPTIONS sip:{carrier.address} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKready;rport\r\n"
            f"From: <sip:test@{here}>;tag=1\r\nTo: <sip:{carrier.address}>\r\nCall-ID: ready@{here}\r\n"
            "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        try:
            asking.sendto(question.encode(), (carrier.host, carrier.port))
            return asking.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False
