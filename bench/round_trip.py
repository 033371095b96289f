"""How long SIP takes to answer: an OPTIONS every 10 ms, one after the other.

``python -m bench.round_trip HOST PORT SECONDS`` prints its figures as JSON; one that is lost counts as a second.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any

from bench.control import figures

EACH_S = 0.01
LOST_S = 1.0


def ask(host: str, port: int, seconds: float) -> list[float]:
    """Milliseconds from each OPTIONS to its answer."""
    taken_ms: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((host, 0))
        line.connect((host, port))
        line.settimeout(LOST_S)
        here = f"{host}:{line.getsockname()[1]}"
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            mark = f"z9hG4bKrt{len(taken_ms)}x{time.monotonic_ns():x}"
            line.send(_options(f"{host}:{port}", here, mark))
            taken_ms.append((_wait(line, mark.encode(), begun) - begun) * 1000)
            time.sleep(max(0.0, begun + EACH_S - time.monotonic()))
    return taken_ms


def _wait(line: socket.socket, mark: bytes, begun: float) -> float:
    """When the answer was there."""
    try:
        while mark not in line.recv(65536):
            """A late answer to an earlier one."""
    except TimeoutError:
        return begun + LOST_S
    return time.monotonic()


def _options(office: str, here: str, mark: str) -> bytes:
    return (
        f"OPTIONS sip:{office} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch={mark};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:probe@{here}>;tag={mark[-8:]}\r\nTo: <sip:{office}>\r\nCall-ID: {mark}@{here}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main() -> dict[str, Any]:
    return figures(ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))


if __name__ == "__main__":
    print(json.dumps(main()))
