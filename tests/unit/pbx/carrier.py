"""A carrier in memory: a registrar at one address that answers as a test tells it."""

from __future__ import annotations

from collections.abc import Callable

from engine.net.resolve import Server
from engine.sip.digest import Algorithm, Challenge, Secrets, matches, parse_credentials
from engine.sip.flow import Flow
from engine.sip.headers import via_seen_from
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.transaction.layer import lasting_tag
from tests.unit.pbx.office import MemoryOffice

PORT = 5060
Answer = Response | None
Script = Callable[[Request], Answer]


class MemoryRegistrar:
    """Answers REGISTER and OPTIONS statelessly, and keeps what it is asked."""

    def __init__(
        self,
        office: MemoryOffice,
        host: str = "198.51.100.1",
        *,
        port: int = PORT,
        user: str = "line1",
        password: str | None = "pass1",
        realm: str = "carrier",
    ) -> None:
        self.office = office
        self.host, self.port = host, port
        self.user, self.password, self.realm = user, password, realm
        self.algorithm = Algorithm.MD5
        self.granted_s: int | None = None
        """What is granted; ``None`` is what was asked for."""
        self.nonce = 1
        self.script: list[Script | int] = []
        """What happens with the next REGISTERs instead: a status, or a function."""
        self.script_always: Script | None = None
        self.answers_options = True
        self.extra: tuple[tuple[str, str], ...] = ()
        """What each 200 to REGISTER says beside."""
        self.registers: list[Request] = []
        self.options: list[Request] = []
        self.contacts: dict[str, int] = {}
        """What is registered: contact to seconds."""
        self.is_up = False
        self.sees: tuple[str, int] | None = None
        """Where requests seem to come from; ``None`` says nothing of it."""
        self.start()

    @property
    def server(self) -> Server:
        return Server(self.host, self.port, "UDP")

    def start(self) -> None:
        if not self.is_up:
            self.is_up = True
            self.office.wire.attach((self.host, self.port), self._receive)

    def stop(self) -> None:
        """Vanish: nothing is answered any more."""
        self.is_up = False
        self.office.wire.detach((self.host, self.port))

    # -- what is asked ------------------------------------------------------------------------------------------

    def _receive(self, data: bytes, flow: Flow) -> None:
        request = parse_message(data)
        assert isinstance(request, Request), request
        answer: Response | None
        if request.method == "OPTIONS":
            self.options.append(request)
            answer = reply(request, 200) if self.answers_options else None
        else:
            assert request.method == "REGISTER", request
            self.registers.append(request)
            answer = self._answer(request)
        if answer is not None:
            if self.sees is not None:
                answer.headers.replace_first("Via", str(via_seen_from(request.via, *self.sees)))
            self.office.wire.carry(answer.encode(), flow)

    def _answer(self, request: Request) -> Response | None:
        if self.script:
            item = self.script.pop(0)
            return reply(request, item) if isinstance(item, int) else item(request)
        if self.script_always is not None:
            return self.script_always(request)
        return self.register(request)

    def register(self, request: Request) -> Response:
        """What a sound registrar does."""
        return self.challenge(request) or self.grant(request)

    def challenge(self, request: Request) -> Response | None:
        """401, unless the request answers the nonce in force, or no password is asked for."""
        if self.password is None:
            return None
        value = request.headers.get("Authorization")
        credentials = parse_credentials(value) if value else None
        secrets = Secrets.of(self.user, self.realm, self.password)
        is_right = credentials is not None and matches(credentials, "REGISTER", secrets)
        if credentials is not None and is_right and credentials.nonce == str(self.nonce):
            return None
        challenge = Challenge(self.realm, str(self.nonce), self.algorithm, stale=is_right)
        return reply(request, 401, headers=(("WWW-Authenticate", str(challenge)),))

    def grant(self, request: Request) -> Response:
        """200 with every contact."""
        contact = (request.headers.get("Contact") or "").strip("<>")
        asked = int(request.headers.get("Expires") or "3600")
        if asked == 0:
            self.contacts.pop(contact, None)
        else:
            self.contacts[contact] = asked if self.granted_s is None else self.granted_s
        kept = tuple(("Contact", f"<{one}>;expires={seconds}") for one, seconds in self.contacts.items())
        return reply(request, 200, headers=(*kept, *self.extra))

    @property
    def last(self) -> Request:
        return self.registers[-1]

    def nonce_counts(self) -> list[str | None]:
        """The nc of each REGISTER, ``None`` for one without credentials."""
        found = []
        for request in self.registers:
            value = request.headers.get("Authorization")
            credentials = parse_credentials(value) if value else None
            found.append(credentials.nonce_count if credentials else None)
        return found


def reply(
    request: Request, status: int, reason: str | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    response = make_response(request, status, reason, to_tag=lasting_tag(request))
    for name, value in headers:
        response.headers.add(name, value)
    return response
