"""A carrier's registrar that a test scripts: what Kamailio cannot be made to say."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

REALM, NONCE = "scripted.test", "6b1e2f"


@dataclass(slots=True)
class Heard:
    """One request as it came."""

    method: str
    uri: str
    text: str
    at: float = 0.0

    def field(self, name: str) -> str:
        found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", self.text, re.IGNORECASE | re.MULTILINE)
        return found[1] if found else ""

    @property
    def call_id(self) -> str:
        return self.field("Call-ID")

    @property
    def cseq(self) -> int:
        return int(self.field("CSeq").split()[0])

    @property
    def is_authorised(self) -> bool:
        return bool(self.field("Authorization"))


Answer = tuple[str, list[str]]
"""Status and reason, and lines of the header."""


@dataclass(slots=True)
class ScriptedRegistrar:
    """Challenges each REGISTER and then says what ``judge`` says; ``None`` of it grants."""

    host: str
    port: int
    user: str
    password: str
    judge: Callable[[Heard], Answer | None] = lambda request: None
    heard: list[Heard] = field(default_factory=list)
    contacts: set[str] = field(default_factory=set)

    @property
    def registers(self) -> list[Heard]:
        return [request for request in self.heard if request.method == "REGISTER"]

    def answer(self, data: bytes, peer: tuple[str, int]) -> bytes | None:
        text = data.decode()
        method, uri, _ = text.split(None, 2)
        request = Heard(method, uri, text)
        self.heard.append(request)
        status, lines = self._reply(request) if method == "REGISTER" else ("200 OK", [])
        vias = re.findall(r"^Via:.*$", text, re.IGNORECASE | re.MULTILINE)
        vias[0] = vias[0].rstrip("\r").replace(";rport", f";rport={peer[1]};received={peer[0]}")
        to = request.field("To")
        copied = [f"{name}: {request.field(name)}" for name in ("From", "Call-ID", "CSeq")]
        head = [f"SIP/2.0 {status}", *(via.rstrip("\r") for via in vias), *copied, f"To: {to};tag=scripted", *lines]
        return ("\r\n".join([*head, "Content-Length: 0"]) + "\r\n\r\n").encode()

    def _reply(self, request: Heard) -> Answer:
        if not self._is_right(request):
            return "401 Unauthorized", [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth"']
        judgement = self.judge(request)
        if judgement is not None:
            return judgement
        contact, seconds = request.field("Contact"), int(request.field("Expires"))
        if seconds:
            self.contacts.add(contact)
        else:
            self.contacts.discard(contact)
        return "200 OK", [f"Contact: {one};expires={seconds or 60}" for one in self.contacts]

    def _is_right(self, request: Heard) -> bool:
        """Digest after RFC 2617, worked out here on its own."""
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', request.field("Authorization")))
        if said.get("nonce") != NONCE:
            return False
        one = _md5(f"{self.user}:{REALM}:{self.password}")
        two = _md5(f"REGISTER:{said['uri']}")
        return bool(said["response"] == _md5(f"{one}:{NONCE}:{said['nc']}:{said['cnonce']}:auth:{two}"))


@contextmanager
def open_registrar(host: str, port: int, user: str, password: str) -> Iterator[ScriptedRegistrar]:
    """Answer at ``host`` over UDP until the end."""
    registrar = ScriptedRegistrar(host, port, user, password)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((host, port))

        def serve() -> None:
            with suppress(OSError):
                while True:
                    data, peer = door.recvfrom(65535)
                    if not data:
                        return
                    answer = registrar.answer(data, peer[:2])
                    if answer is not None:
                        door.sendto(answer, peer)

        thread = threading.Thread(target=serve, name="registrar", daemon=True)
        thread.start()
        try:
            yield registrar
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
