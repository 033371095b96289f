"""A telephone without I/O: its login, its registration and its calls (the user agent from the phone's side)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core.errors import RemoteError
from engine.phones.call import PhoneCall
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.digest import Secrets, answer_challenge, choose_challenge
from engine.sip.event.subscription import NotifyDue, Resubscribed, Unsubscribed, WatcherCutOff
from engine.sip.flow import Flow, host_port
from engine.sip.headers import Headers
from engine.sip.message import Request, Response
from engine.sip.transaction.outputs import RequestArrived, RequestFailed, ResponseArrived, Send
from engine.sip.uri import NameAddress, bracketed

REGISTER_S = 300
"""How long a registration is asked for; it is renewed after half of what is granted."""
_RETRY_S = 10.0
_TRIES = 2
"""How often one REGISTER may answer a challenge: once more for a nonce that went stale."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is typed into a phone."""

    number: str
    password: str = field(repr=False)
    office: tuple[str, int]
    """Host and port of the office's SIP."""
    name: str | None = None
    codecs: tuple[str, ...] = ("PCMA", "PCMU")


@dataclass(slots=True)
class _Attempt:
    """One REGISTER on its way; ``tries`` counts challenges answered."""

    tries: int = 0


class Phone:
    """One telephone on one flow.

    ``agent`` is driven by whoever owns the socket, which hands its outputs to ``hear`` and calls ``tick`` every
    second or so; ``on_ring`` is told of each call that comes in.
    """

    def __init__(
        self, account: Account, flow: Flow, token: Callable[[int], str], on_ring: Callable[[PhoneCall], None]
    ) -> None:
        self.account = account
        self.flow = flow
        self.agent = UserAgent(token, f"Demo {account.number}")
        self.takes_orders = False
        """Whether the office may answer and hold for its user, and whether it answers by itself when asked."""
        self.is_registered = False
        self.last_refusal: int | None = None
        """The status that refused the last registration; ``None`` when it was granted."""
        self._on_ring = on_ring
        self._call_id = token(16)
        self._sequence = 0
        self._due: float | None = None

    @property
    def contact(self) -> str:
        """Our Contact value."""
        return f"<sip:{self.account.number}@{self.flow.sent_by}>"

    @property
    def identity(self) -> str:
        """Our From value without a tag."""
        return f"<sip:{self.account.number}@{bracketed(self.account.office[0])}>"

    def address_of(self, number: str) -> str:
        """The URI that calls ``number`` at this phone's office."""
        return f"sip:{number}@{host_port(*self.account.office)}"

    def register(self, now: float) -> None:
        """Register from now on, and stay so."""
        self._due = now
        self.tick(now)

    def tick(self, now: float) -> None:
        """Renew the registration when it is due."""
        if self._due is not None and now >= self._due:
            self._due = now + _RETRY_S
            self._send_register(self._register_request(), _Attempt(), now)

    def call(self, number: str) -> PhoneCall:
        """A call to ``number`` that has not been dialled yet."""
        return PhoneCall(self, number)

    def hear(self, output: AgentOutput, now: float) -> None:
        """One output of our agent, sends apart."""
        match output:
            case RequestArrived():
                if output.request.method == "INVITE":
                    self._take_invite(output, now)
                else:
                    self.agent.respond(output, 405, now)
            case ResponseArrived():
                self._take_response(output, now)
            case RequestFailed() | Send() | Resubscribed() | NotifyDue() | Unsubscribed() | WatcherCutOff():
                pass  # a registration without an answer is tried again when it is due; nobody watches a phone
            case _:
                call = output.session.user
                if isinstance(call, PhoneCall):
                    call.hear(output, now)

    def credentials(self, response: Response, method: str, uri: str) -> str | None:
        """The value that answers the challenge of a 401 or 407; ``None`` when it is none that we know."""
        header = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
        try:
            challenge = choose_challenge(response.headers.all(header))
        except RemoteError:
            return None
        if challenge is None:
            return None
        user = self.account.number
        secrets = Secrets.of(user, challenge.realm, self.account.password)
        cnonce = self.agent.token(8)
        return answer_challenge(challenge, method=method, uri=uri, user=user, secrets=secrets, cnonce=cnonce)

    def _take_invite(self, arrived: RequestArrived, now: float) -> None:
        call = PhoneCall(self, _caller_of(arrived.request), is_incoming=True)
        call.take(arrived, now)
        self._on_ring(call)

    def _register_request(self) -> Request:
        self._sequence += 1
        return Request(
            "REGISTER",
            f"sip:{host_port(*self.account.office)}",
            Headers([
                ("Max-Forwards", "70"),
                ("From", f"{self.identity};tag={self.agent.token(8)}"),
                ("To", self.identity),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._sequence} REGISTER"),
                ("Contact", self.contact),
                ("Expires", str(REGISTER_S)),
                ("User-Agent", self.agent.product),
            ]),
        )  # fmt: skip

    def _send_register(self, request: Request, attempt: _Attempt, now: float) -> None:
        self.agent.send_request(request, self.flow, now, attempt)

    def _take_response(self, output: ResponseArrived, now: float) -> None:
        transaction, response = output
        attempt = transaction.user
        if response.status < 200 or not isinstance(attempt, _Attempt):
            return
        if response.status in (401, 407) and attempt.tries < _TRIES:
            self._register_again(response, attempt, now)
        elif response.status == 200:
            self._registered(response, now)
        else:
            self.is_registered, self.last_refusal = False, response.status

    def _register_again(self, response: Response, attempt: _Attempt, now: float) -> None:
        request = self._register_request()
        value = self.credentials(response, "REGISTER", request.uri)
        if value is None:
            self.is_registered, self.last_refusal = False, response.status
            return
        attempt.tries += 1
        request.headers.add("Authorization" if response.status == 401 else "Proxy-Authorization", value)
        self._send_register(request, attempt, now)

    def _registered(self, response: Response, now: float) -> None:
        self.last_refusal = None
        self.is_registered = True
        self._due = now + _granted_s(response) / 2


def _caller_of(request: Request) -> str:
    try:
        address = NameAddress.parse(request.headers.get("From") or "")
    except RemoteError:
        return ""
    return getattr(address.uri, "user", None) or ""


def _granted_s(response: Response) -> float:
    """How long a 200 grants (RFC 3261 section 10.2.4): the Contact's ``expires``, else Expires, else as asked."""
    for value in response.headers.list_of("Contact"):
        try:
            granted = NameAddress.parse(value).param("expires")
        except RemoteError:
            continue
        if granted and granted.isdigit():
            return float(granted)
    said = response.headers.get("Expires") or ""
    return float(said) if said.isdigit() else float(REGISTER_S)
