"""rtpengine's NG control protocol as far as the bench speaks it: bencoded dictionaries over UDP."""

from __future__ import annotations

import re
import socket
import time
from typing import Any


class NgClient:
    """Asks one rtpengine; each question waits at most a second and is repeated for five."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(1.0)
        self._address = (host, port)
        self._cookie = 0

    def close(self) -> None:
        self._socket.close()

    def ask(self, **question: Any) -> dict[str, Any]:
        """The answer's dictionary; ``RuntimeError`` when there is none or it says error."""
        self._cookie += 1
        cookie = b"bench%d" % self._cookie
        packet = cookie + b" " + encode({name.replace("_", "-"): value for name, value in question.items()})
        for _ in range(5):
            answer = self._exchange(packet, cookie)
            if answer is None:
                continue
            if answer.get("result") == "error":
                raise RuntimeError(f"rtpengine refused {question['command']}: {answer.get('error-reason')}")
            return answer
        raise RuntimeError(f"rtpengine does not answer on {self._address[0]}:{self._address[1]}")

    def _exchange(self, packet: bytes, cookie: bytes) -> dict[str, Any] | None:
        try:
            self._socket.sendto(packet, self._address)
            while True:
                answered, _, body = self._socket.recvfrom(65536)[0].partition(b" ")
                if answered == cookie:
                    return decode(body)[0]  # type: ignore[no-any-return]
        except ConnectionRefusedError:
            time.sleep(0.1)
        except TimeoutError:
            pass
        return None

    def open_call(self, call_id: str, peer: str, ports: tuple[int, int]) -> tuple[int, int]:
        """Anchor a call between two phones on ``peer``; the ports that the first and the second send to."""
        common = {"call_id": call_id, "from_tag": "a", "replace": ["origin"], "ICE": "remove"}
        offer = self.ask(command="offer", sdp=_sdp(peer, ports[0]), **common)
        answer = self.ask(command="answer", to_tag="b", sdp=_sdp(peer, ports[1]), **common)
        return _audio_port(answer["sdp"]), _audio_port(offer["sdp"])


def _sdp(host: str, port: int) -> str:
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 8"]
    return "\r\n".join([*lines, "a=rtpmap:8 PCMA/8000", ""])


def _audio_port(sdp: str) -> int:
    found = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
    if not found:
        raise RuntimeError("rtpengine answered without an audio port")
    return int(found[1])


def encode(value: Any) -> bytes:
    """Bencode a string, integer, list or dictionary."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        text = value.encode()
        return b"%d:%s" % (len(text), text)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def decode(text: bytes, at: int = 0) -> tuple[Any, int]:
    """The value that begins at ``at``, and where the next one does."""
    kind = text[at : at + 1]
    if kind == b"i":
        end = text.index(b"e", at)
        return int(text[at + 1 : end]), end + 1
    if kind in (b"l", b"d"):
        values, at = [], at + 1
        while text[at : at + 1] != b"e":
            value, at = decode(text, at)
            values.append(value)
        return (values if kind == b"l" else dict(zip(values[::2], values[1::2], strict=True))), at + 1
    colon = text.index(b":", at)
    end = colon + 1 + int(text[at:colon])
    return text[colon + 1 : end].decode(), end
