"""A phone that a test plays itself, message by message, for what no real phone can be made to do."""

from __future__ import annotations

from dataclasses import dataclass

from engine.sip.digest import Secrets, answer_challenge, choose_challenge
from engine.sip.headers import Headers
from engine.sip.message import Request, make_response, parse_message
from tests.live.network import host_port
from tests.live.office import Office


@dataclass(slots=True)
class ScriptedPhone:
    """Says what a phone for ``number`` would, that is reached at ``host`` and ``port``."""

    office: Office
    number: str
    transport: str
    """As Via names it."""
    host: str
    port: int
    contact_tail: str = ""
    """URI parameters of its Contact."""
    cseq: int = 0

    def register(self, challenge: bytes | None = None) -> bytes:
        """A REGISTER, with credentials once ``challenge`` (the 401) has come."""
        self.cseq += 1
        uri, at = f"sip:{self.office.address}", host_port(self.host, self.port)
        account = f"<sip:{self.number}@{self.office.address}>"
        headers = Headers([
            ("Via", f"SIP/2.0/{self.transport} {at};branch=z9hG4bKr{self.cseq}{self.port};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{account};tag={self.port}"),
            ("To", account),
            ("Call-ID", f"{self.port}@{self.host}"),
            ("CSeq", f"{self.cseq} REGISTER"),
            ("Contact", f"<sip:{self.number}@{at};transport={self.transport.lower()}{self.contact_tail}>"),
        ])  # fmt: skip
        if challenge is not None:
            asked = choose_challenge(parse_message(challenge).headers.all("WWW-Authenticate"))
            assert asked is not None
            secrets = Secrets.of(self.number, asked.realm, self.office.passwords[self.number])
            said = answer_challenge(
                asked, method="REGISTER", uri=uri, user=self.number, secrets=secrets, cnonce="0a4f113b"
            )
            headers.add("Authorization", said)
        return Request("REGISTER", uri, headers).encode()

    def refuse(self, request: bytes, status: int) -> bytes:
        """A final answer to what the office sent."""
        message = parse_message(request)
        assert isinstance(message, Request)
        return make_response(message, status, to_tag="scripted").encode()
