"""How fast an office answers, asked by a process of its own.

``python -m tests.live.ping HOST PORT`` sends OPTIONS every 20 ms until SIGTERM, and prints "moment milliseconds".
"""

from __future__ import annotations

import socket
import sys
import time

EACH_S, LONGEST_S = 0.02, 2.0


def ping(host: str, port: int) -> None:
    office = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    office.connect((host, port))
    office.settimeout(LONGEST_S)
    own, own_port = office.getsockname()
    number, due = 0, time.monotonic()
    while True:
        number += 1
        due = max(due + EACH_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        request = (
            f"OPTIONS sip:{host}:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {own}:{own_port};branch=z9hG4bKp{number};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:ping@{own}>;tag=p{number}\r\nTo: <sip:{host}:{port}>\r\n"
            f"Call-ID: ping{number}@{own}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        began = time.monotonic()
        office.send(request.encode())
        try:
            while f"ping{number}@" not in office.recv(4096).decode(errors="replace"):
                pass
            took_ms = (time.monotonic() - began) * 1000
        except TimeoutError:
            took_ms = LONGEST_S * 1000
        print(f"{began:.3f} {took_ms:.3f}", flush=True)


if __name__ == "__main__":
    ping(sys.argv[1], int(sys.argv[2]))
