"""A phone in memory: a user agent of its own, a login, and somebody who does what the test says."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from engine.core.peering import ReliableProvisional
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.digest import Secrets, answer_challenge, choose_challenge
from engine.sip.event.subscription import NotifyDue, Resubscribed, Unsubscribed, WatcherCutOff
from engine.sip.flow import Flow, host_port
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, make_response, parse_message
from engine.sip.sdp import Direction, SessionDescription
from engine.sip.session import Session
from engine.sip.session.core import SessionState, put_sdp
from engine.sip.session.events import (
    Acknowledged,
    Answered,
    Cancelled,
    DigitHeard,
    EarlyAcknowledged,
    EarlyOffered,
    Ended,
    Failed,
    Progress,
    RefreshDue,
    ReofferAnswered,
    ReofferDelayed,
    ReofferDue,
    Reoffered,
    ReofferRefused,
)
from engine.sip.session.prack import refuse_reliability
from engine.sip.transaction.client import ClientTransaction
from engine.sip.transaction.outputs import RequestArrived, RequestFailed, ResponseArrived, Send
from engine.sip.uri import bracketed, parse_uri

if TYPE_CHECKING:
    from tests.unit.pbx.wire import Wire

PORT = 5060
PAYLOADS = {"PCMU": 0, "PCMA": 8, "G722": 9, "G729": 18}
LIVE = (SessionState.ANSWERED, SessionState.CONFIRMED)


class MemoryPhone:
    """One phone. What it does is sent when the office settles; what it hears is noted in its calls."""

    def __init__(
        self, wire: Wire, office: tuple[str, int], realm: str, number: str, password: str, host: str, port: int
    ) -> None:
        self.wire = wire
        self.office = office
        self.realm = realm
        self.number = number
        self.password = password
        self.host, self.port = host, port
        self.source = (host, port)
        """Where its datagrams leave from: another address than its own behind a proxy."""
        self.rtp_port = 40000 + port + int(host.rpartition(".")[2].rpartition(":")[2] or "0", 16) * 2
        self.codecs: tuple[str, ...] = ("PCMA", "PCMU")
        self.knows_events = False
        """Whether it offers events (RFC 4733) for digits."""
        self.media_host = host
        self.rings = True
        self.picks_up = False
        self.refuses_with: int | None = None
        self.reliable = ReliableProvisional.SUPPORTED
        """Whether it offers, or asks of others, reliable provisional responses (RFC 3262)."""
        self.expires = 0
        """Within how many seconds its sessions are to be refreshed; 0 leaves it to others."""
        self.early_sdp = False
        """Whether it rings with SDP."""
        self.reoffers = "accept"
        """What it does with a re-INVITE: ``accept``, ``refuse`` or ``wait``."""
        self.fax: tuple[str, ...] = ()
        """What it says of T.38 as a fax machine: ``T38…`` attributes; without any it is none."""
        self.calls: list[PhoneCall] = []
        self.answers: list[Response] = []
        """Final responses to its requests outside of calls, challenges apart."""
        self.watches = False
        """Whether it subscribes, and answers every NOTIFY by itself."""
        self.watches_silently = False
        self.answers_notify = 200
        self.notified: list[Request] = []
        """Every NOTIFY that came; the phone itself makes nothing of them."""
        self.events: tuple[str, ...] = ()
        """The orders that it takes by NOTIFY: talk, hold."""
        self.ordered: list[str] = []
        self.challenges = 0
        self._seeds = count(1)
        self.agent = UserAgent(self._token, f"Phone {number}")
        self.register_call_id = self._token(8)
        self.register_cseq = 0
        self.is_plugged = False
        self.is_awake = False
        """Whether there may be something to flush."""
        self._is_touched = False
        self._due: float | None = None
        self.plug()

    # -- the line -----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The time; whoever asks for it is about to do something."""
        self.is_awake = self._is_touched = True
        return self.wire.clock.now()

    @property
    def next_timer(self) -> float | None:
        """When the phone's agent wants to be woken; looked up only after something was done."""
        if self._is_touched:
            self._is_touched = False
            self._due = self.agent.next_timer()
        return self._due

    @property
    def flow(self) -> Flow:
        return Flow("UDP", *self.source, *self.office)

    @property
    def contact(self) -> str:
        return f"sip:{self.number}@{host_port(self.host, self.port)}"

    def plug(self) -> None:
        if not self.is_plugged:
            self.is_plugged = True
            self.wire.attach(self.source, self.receive)

    def vanish(self) -> None:
        """Pull the plug: nothing leaves and nothing arrives any more, and nothing is remembered."""
        self.is_plugged = False
        self.wire.detach(self.source)
        self.agent = UserAgent(self._token, f"Phone {self.number}")
        self._is_touched = True

    def sit_behind(self, proxy: tuple[str, int]) -> None:
        """Send and receive through a proxy's address."""
        self.wire.detach(self.source)
        self.source = proxy
        self.wire.attach(proxy, self.receive)

    def receive(self, data: bytes, flow: Flow) -> None:
        if self.source != (self.host, self.port):
            message = parse_message(data)
            if isinstance(message, Request) and getattr(parse_uri(message.uri), "host", "") != self.host:
                return
        if data.startswith(b"NOTIFY "):
            notified = parse_message(data)
            assert isinstance(notified, Request)
            self.notified.append(notified)
            if notified.headers.get("Event") in self.events:
                self._obey(notified)
                return
            if self.watches:
                if self.watches_silently:
                    return
                status = self.answers_notify
                self.wire.carry(make_response(notified, status).encode(), self.flow)
                return
        self.agent.receive(data, flow, self.now)

    def flush(self) -> bool:
        """Send what the agent has said and hear what it was told; whether there was anything."""
        outputs = self.agent.take_outputs(self.wire.clock.now())
        self.is_awake = bool(outputs)
        for output in outputs:
            if isinstance(output, Send):
                if self.is_plugged:
                    self.wire.carry(self._with_events(output.data), output.flow)
            else:
                self._hear(output)
        return bool(outputs)

    def _with_events(self, data: bytes) -> bytes:
        """A phone that takes orders says so wherever it says what it allows."""
        allows = f"\r\nAllow-Events: {', '.join(self.events)}\r\nAllow: ".encode()
        return data.replace(b"\r\nAllow: ", allows, 1) if self.events else data

    def _obey(self, order: Request) -> None:
        event = order.headers.get("Event") or ""
        self.ordered.append(event)
        self.wire.carry(make_response(order, 200).encode(), self.flow)
        call = next(each for each in self.calls if each.line.call_id == order.call_id)
        if event == "hold":
            call.hold()
        elif call.is_up:
            call.resume()
        else:
            call.answer()

    # -- requests outside of calls ------------------------------------------------------------------------------

    def register(
        self,
        *contacts: str,
        expires: int | None = 3600,
        instance: str | None = None,
        user: str | None = None,
        to: str | None = None,
        path: str | None = None,
        cseq: int | None = None,
        fields: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Send a REGISTER and answer its challenge; the final response lands in ``answers``."""
        self.register_cseq = cseq if cseq is not None else self.register_cseq + 1
        host = bracketed(self.office[0])
        headers = Headers([
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.number}@{host}>;tag={self._token(4)}"),
            ("To", f"<sip:{to or self.number}@{host}>"),
            ("Call-ID", self.register_call_id),
            ("CSeq", f"{self.register_cseq} REGISTER"),
            ("User-Agent", "MemoryPhone"),
        ])  # fmt: skip
        for name, value in (*fields, *((("Path", path),) if path is not None else ())):
            headers.add(name, value)
        if expires is not None:
            headers.add("Expires", str(expires))
        tail = f';+sip.instance="<{instance}>"' if instance else ""
        for contact in contacts or (f"<{self.contact}>",):
            if contact:
                headers.add("Contact", contact + tail)
        self._send(Request("REGISTER", f"sip:{host}", headers), user or self.number)

    def fetch(self) -> None:
        """Ask for the bindings without changing any."""
        self.register("", expires=None)

    def send(self, method: str, uri: str, fields: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> None:
        """Send any request as it is, without answering a challenge."""
        headers = Headers([
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.number}@x>;tag={self._token(4)}"),
            ("To", f"<{uri}>"),
            ("Call-ID", self._token(8)),
            ("CSeq", f"1 {method}"),
            *fields,
        ])  # fmt: skip
        self.agent.send_request(Request(method, uri, headers, body), self.flow, self.now, self)

    @property
    def last(self) -> Response:
        """The latest final response outside of calls."""
        return self.answers[-1]

    # -- calls --------------------------------------------------------------------------------------------------

    def call(
        self,
        number: str,
        *,
        sdp: bytes | None = None,
        caller: str | None = None,
        contact: str | None = None,
        max_forwards: int = 70,
        uri: str | None = None,
        extra: tuple[tuple[str, str], ...] = (),
    ) -> PhoneCall:
        """Dial; ``sdp`` b"" makes a late offer, ``caller`` is what From pretends."""
        made = PhoneCall(self)
        made.target = uri or f"sip:{number}@{host_port(*self.office)}"
        made.offer = self.sdp() if sdp is None else sdp
        made.identity = caller or f"<sip:{self.number}@{bracketed(self.office[0])}>"
        made.contact = contact if contact is not None else f"<{self.contact}>"
        made.max_forwards = max_forwards
        made.extra = extra
        made.dial()
        self.calls.append(made)
        return made

    @property
    def ringing(self) -> PhoneCall:
        """The newest call that came in."""
        return next(call for call in reversed(self.calls) if call.is_incoming)

    def sdp(
        self, direction: Direction = Direction.SENDRECV, codecs: tuple[str, ...] = (), host: str | None = None
    ) -> bytes:
        """What the phone says of its audio."""
        names = codecs or self.codecs
        at = host or self.media_host
        network = f"IN {'IP6' if ':' in at else 'IP4'} {at}"
        numbers = " ".join([*(str(PAYLOADS[name]) for name in names), *(["101"] if self.knows_events else [])])
        lines = ["v=0", f"o=- 1 {next(self._seeds)} {network}", "s=-", f"c={network}", "t=0 0"]
        lines += [f"m=audio {self.rtp_port} RTP/AVP {numbers}"]
        lines += [f"a=rtpmap:{PAYLOADS[name]} {name}/8000" for name in names]
        lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"] if self.knows_events else []
        return "\r\n".join([*lines, f"a={direction.value}", ""]).encode()

    def answer_to(self, offer: bytes) -> bytes:
        """Our answer: the offer's codecs that we have, the other way round."""
        description = SessionDescription.parse(offer)
        line = next((one for one in description.media if one.port), description.media[0])
        if line.kind == "image":
            return self.fax_sdp(port=self.rtp_port if self.fax else 0)
        offered = [form.encoding for form in line.rtp_formats()]
        common = tuple(name for name in self.codecs if name in offered)
        return self.sdp(description.direction_of(line).reversed, common or self.codecs)

    def fax_sdp(self, *before: str, port: int | None = None) -> bytes:
        """What it says of T.38; ``before`` are media lines in front."""
        network = f"IN IP4 {self.media_host}"
        lines = ["v=0", f"o=- 1 {next(self._seeds)} {network}", "s=-", f"c={network}", "t=0 0", *before]
        lines += [f"m=image {self.rtp_port if port is None else port} udptl t38"]
        return "\r\n".join([*lines, *(f"a={one}" for one in self.fax), ""]).encode()

    # -- what is heard ------------------------------------------------------------------------------------------

    def _hear(self, output: AgentOutput) -> None:
        match output:
            case RequestArrived() if output.request.method == "MESSAGE":
                self._take_text(output)
            case RequestArrived():
                self._take_invite(output)
            case ResponseArrived():
                self._take_response(output)
            case RequestFailed() | Send() | Resubscribed() | NotifyDue() | Unsubscribed() | WatcherCutOff():
                pass
            case _:
                call = output.session.user
                if call is not None:
                    call.hear(output)

    def _take_text(self, arrived: RequestArrived) -> None:
        """A text message: read and acknowledged."""
        self.agent.respond(arrived, 200, self.now)

    def _take_invite(self, arrived: RequestArrived) -> None:
        call = PhoneCall(self)
        call.is_incoming = True
        call.remote_sdp = arrived.request.sdp
        call.invite, call.arrived = arrived.request, arrived
        refusal = refuse_reliability(arrived.request.headers, self.reliable)
        if refusal is not None:
            self.agent.respond(arrived, refusal.status, self.now, headers=refusal.headers)
            return
        call.session = self.agent.take_invite(arrived, f"<{self.contact}>", call, self.reliable)
        self.calls.append(call)
        if self.rings:
            call.ring(sdp=self.answer_to(call.remote_sdp) if self.early_sdp and call.remote_sdp else b"")
        if self.refuses_with is not None:
            call.refuse(self.refuses_with)
        elif self.picks_up:
            call.answer()

    def _take_response(self, output: ResponseArrived) -> None:
        transaction, response = output
        if response.status < 200:
            return
        if response.status == 401 and transaction.user is not self and not transaction.user[1]:
            self.challenges += 1
            request = transaction.request
            again = Request(request.method, request.uri, request.headers.copy())
            again.headers.remove("Via")
            again.headers.set("CSeq", f"{request.cseq.number + 1} {request.method}")
            self.register_cseq = request.cseq.number + 1
            again.headers.add("Authorization", self.credentials(response, again, transaction.user[0]))
            self.agent.send_request(again, self.flow, self.now, (transaction.user[0], True))
        else:
            self.answers.append(response)

    def _send(self, request: Request, user: str) -> None:
        self.agent.send_request(request, self.flow, self.now, (user, False))

    def credentials(self, response: Response, request: Request, user: str) -> str:
        """The Authorization value that answers a 401 or 407."""
        name = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
        challenge = choose_challenge(response.headers.all(name))
        assert challenge is not None
        secrets = Secrets.of(user, self.realm, self.password)
        return answer_challenge(
            challenge, method=request.method, uri=request.uri, user=user, secrets=secrets, cnonce=self._token(4)
        )

    def _token(self, size: int) -> str:
        """Unique and repeatable: the phone's own digits and a count."""
        text = f"{self.host}:{self.port}:{next(self._seeds)}".encode().hex()
        return text[-2 * size :].rjust(2 * size, "a") if size < 5 else text


class PhoneCall:
    """One call as its phone lives it."""

    def __init__(self, phone: MemoryPhone) -> None:
        self.phone = phone
        self.session: Session | None = None
        self.is_incoming = False
        self.invite: Request | None = None
        self.arrived: RequestArrived | None = None
        self.branches: list[PhoneCall] = []
        """Other phones that the same INVITE reached."""
        self.target = ""
        self.offer = b""
        self.identity = ""
        self.contact = ""
        self.max_forwards = 70
        self.extra: tuple[tuple[str, str], ...] = ()
        """Further fields of the INVITE."""
        self.heard: list[str] = []
        """What happened, in order: statuses, ``answered``, ``ended``, ``cancelled`` …"""
        self.failure: Failed | None = None
        self.remote_sdp = b""
        self.digits = ""
        """What INFOs said."""
        self.reason: str | None = None
        """The Reason of the CANCEL or BYE that ended it."""
        self.late_answer: bytes | None = None
        self._has_given_up = False
        self._waiting: Reoffered | None = None
        self._reoffered = b""

    # -- doing --------------------------------------------------------------------------------------------------

    def dial(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        phone = self.phone
        self.session = phone.agent.invite(
            target=self.target,
            flow=phone.flow,
            caller=self.identity,
            callee=f"<{self.target}>",
            contact=self.contact,
            sdp=self.offer,
            now=phone.now,
            user=self,
            headers=(*self.extra, *headers),
            max_forwards=self.max_forwards,
            reliable=phone.reliable,
            expires=phone.expires,
        )

    @property
    def line(self) -> Session:
        assert self.session is not None
        return self.session

    def ring(self, status: int = 180, sdp: bytes = b"") -> None:
        self.line.ring(self.phone.now, status, sdp=sdp)

    def answer(self, sdp: bytes | None = None) -> None:
        if sdp is None:
            sdp = self.phone.answer_to(self.remote_sdp) if self.remote_sdp else self.phone.sdp()
        if self.arrived is not None:
            self.arrived.transaction.request = self.invite  # another branch may have answered before
        self.line.answer(self.phone.now, sdp)

    def fork(self) -> PhoneCall:
        """Another phone behind the proxy that this INVITE came through: an early dialog of its own."""
        assert self.arrived is not None
        branch = PhoneCall(self.phone)
        branch.is_incoming, branch.remote_sdp = True, self.remote_sdp
        branch.invite, branch.arrived = self.invite, self.arrived
        branch.session = self.phone.agent.take_invite(
            self.arrived, f"<{self.phone.contact}>", branch, self.phone.reliable
        )
        self.arrived.transaction.user = self.session
        self.branches.append(branch)
        return branch

    def refuse(self, status: int, reason: str | None = None) -> None:
        self.line.reject(self.phone.now, status, reason)

    def cancel(self) -> None:
        self.hang_up()

    def hang_up(self, reason: str | None = None) -> None:
        self._has_given_up = True
        self.line.end(self.phone.now, reason=reason)

    def hold(self) -> None:
        self.reoffer(self.phone.sdp(Direction.SENDONLY))

    def resume(self) -> None:
        self.reoffer(self.phone.sdp())

    def reoffer(self, sdp: bytes) -> None:
        self._reoffered = sdp
        self.line.reoffer(self.phone.now, sdp)

    def ask_for_an_offer(self) -> None:
        """A re-INVITE without SDP; our answer goes with the ACK."""
        self.reoffer(b"")
        layer = self.phone.agent.layer
        send_ack = layer.send_ack

        def send_answer(ack: Request, flow: Flow) -> bytes:
            layer.send_ack = send_ack  # type: ignore[method-assign]
            put_sdp(ack, self.phone.sdp())
            return send_ack(ack, flow)

        layer.send_ack = send_answer  # type: ignore[method-assign]

    def answer_reoffer(self) -> None:
        """Answer the re-INVITE that was kept waiting."""
        waiting, self._waiting = self._waiting, None
        assert waiting is not None
        self._accept(waiting)

    def refuse_reoffer(self, status: int = 488) -> None:
        """Refuse the re-INVITE that was kept waiting."""
        self._waiting = None
        self.line.refuse_reoffer(self.phone.now, status)

    def take_reoffer_back(self) -> None:
        """CANCEL our re-INVITE."""
        transaction = self.line._reinvite
        assert isinstance(transaction, ClientTransaction)
        self.phone.agent.layer.send_cancel(transaction, self.phone.now)

    # -- seeing -------------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        return self.line.state in LIVE

    @property
    def is_over(self) -> bool:
        return self.line.state is SessionState.ENDED

    @property
    def was_told(self) -> Direction:
        """Which way audio flows by the office's latest SDP, seen from the office."""
        description = SessionDescription.parse(self.remote_sdp)
        return description.direction_of(description.media[0])

    @property
    def codecs(self) -> list[str]:
        """The audio codecs of the office's latest SDP."""
        line = SessionDescription.parse(self.remote_sdp).media[0]
        return [form.encoding for form in line.rtp_formats() if form.encoding != "telephone-event"]

    # -- hearing ------------------------------------------------------------------------------------------------

    def hear(self, event: Any) -> None:
        match event:
            case Progress():
                self.heard.append(str(event.status))
                self.remote_sdp = event.sdp or self.remote_sdp
                if event.sdp and not self.offer and event.tag is not None:
                    event.session.answer_early(event.tag, self.phone.answer_to(event.sdp), self.phone.now)
            case Answered():
                self._hear_answer(event)
            case Failed():
                self._hear_failure(event)
            case Cancelled():
                self.heard.append("cancelled")
                self.reason = event.reason
            case DigitHeard():
                self.digits += event.key
            case RefreshDue():
                self.reoffer(self.phone.sdp())
            case EarlyOffered():
                self.heard.append("updated")
                event.session.accept_early_offer(event.transaction, self.phone.now, self.phone.answer_to(event.sdp))
            case EarlyAcknowledged():
                self.heard.append("early acknowledged")
                self.remote_sdp = event.sdp or self.remote_sdp
            case Acknowledged():
                self.heard.append("acknowledged")
                self.remote_sdp = event.sdp or self.remote_sdp
            case Ended():
                self.heard.append("ended" if event.by_peer else f"lost {event.status}")
                self.reason = event.reason
            case Reoffered():
                self._hear_reoffer(event)
            case ReofferAnswered():
                self.heard.append("reoffer answered")
                self.remote_sdp = event.sdp
            case ReofferRefused():
                self.heard.append(f"reoffer refused {event.status}")
            case ReofferDelayed():
                self.heard.append("reoffer delayed")
            case ReofferDue():
                self.reoffer(self._reoffered)

    def _hear_answer(self, event: Answered) -> None:
        self.heard.append("answered")
        self.remote_sdp = event.sdp
        if not self.offer and event.response.sdp:
            late = self.phone.answer_to(event.sdp) if self.late_answer is None else self.late_answer
            event.session.acknowledge(late)

    def _hear_failure(self, event: Failed) -> None:
        response = event.response
        if event.status == 407 and response is not None and not self._has_given_up and "407" not in self.heard:
            self.heard.append("407")
            request = Request("INVITE", self.target)
            value = self.phone.credentials(response, request, self.phone.number)
            self.dial((("Proxy-Authorization", value),))
            return
        self.failure = event
        self.heard.append(str(event.status))

    def _hear_reoffer(self, event: Reoffered) -> None:
        self.heard.append("reoffered")
        if self.phone.reoffers == "wait":
            self._waiting = event
        elif self.phone.reoffers == "refuse":
            event.session.refuse_reoffer(self.phone.now, 488)
        else:
            self._accept(event)

    def _accept(self, event: Reoffered) -> None:
        if not event.session.is_pending(event.transaction):
            return  # taken back meanwhile
        self.remote_sdp = event.sdp
        sdp = self.phone.answer_to(event.sdp) if event.sdp else self.phone.sdp()
        event.session.accept_reoffer(self.phone.now, sdp)
