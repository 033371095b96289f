"""tshark, which reads what we wrote."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live import processes


@dataclass(frozen=True, slots=True)
class Packet:
    """One SIP message as tshark dissects it."""

    transport: str
    method: str
    """Empty for a response."""
    status: str
    call_id: str

    @property
    def title(self) -> str:
        return self.method or self.status


def read_sip(capture: Path) -> list[Packet]:
    """The SIP messages in a capture file; checksums are verified, broken packets fail."""
    processes.needs("tshark")
    base = ["tshark", "-n", "-r", str(capture)]
    layers = ("ip", "udp", "tcp")
    checked = [word for layer in layers for word in ("-o", f"{layer}.check_checksum:TRUE")]
    is_bad = " || ".join(["_ws.malformed", *(f"{layer}.checksum.status==0" for layer in layers)])
    bad = _run([*base, *checked, "-Y", is_bad])
    assert not bad, f"tshark finds broken packets: {bad}"
    fields = ("frame.protocols", "sip.Method", "sip.Status-Code", "sip.Call-ID")
    wanted = [word for name in fields for word in ("-e", name)]
    packets = []
    for line in _run([*base, "-Y", "sip", "-T", "fields", "-E", "occurrence=f", *wanted]):
        protocols, method, status, call_id = line.split("\t")
        transport = next(name for name in ("tcp", "udp") if name in protocols.split(":"))
        packets.append(Packet(transport, method, status, call_id))
    return packets


def count_packets(capture: Path) -> int:
    """Every packet in the file, SIP or not."""
    return len(_run(["tshark", "-n", "-r", str(capture)]))


def _run(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
    return done.stdout.splitlines()
