"""The floor for signalling: a user agent server on uvloop that does the least a call needs, and nothing safely.

``python -m bench.bare_uas HOST PORT`` answers INVITE and BYE with 200 and ignores ACK.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import cast

import uvloop

COPIED = (b"via:", b"from:", b"call-id:", b"cseq:", b"record-route:")


class BareUas(asyncio.DatagramProtocol):
    """Answers from the request's own header lines."""

    def __init__(self, host: str, port: int) -> None:
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        ).encode()
        contact = f"Contact: <sip:{host}:{port}>\r\n".encode()
        self.with_sdp = contact + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        self.without_sdp = b"Content-Length: 0\r\n\r\n"
        self.calls = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if data.startswith(b"ACK"):
            return
        is_invite = data.startswith(b"INVITE")
        self.calls += is_invite
        lines = [b"SIP/2.0 200 OK"]
        for line in data.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
            lower = line.lower()
            if lower.startswith(COPIED):
                lines.append(line)
            elif lower.startswith(b"to:"):
                lines.append(line if b";tag=" in lower else b"%s;tag=u%d" % (line, self.calls))
        lines.append(self.with_sdp if is_invite else self.without_sdp)
        self.transport.sendto(b"\r\n".join(lines), source)


async def serve(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: BareUas(host, port), local_addr=(host, port))
    gc.freeze()
    print("ready", flush=True)
    await loop.create_future()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
