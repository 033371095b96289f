"""Text messages between extensions (RFC 3428): carried to every phone of the number, and never looked into."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.core.errors import RemoteError
from engine.pbx.authentication import Authenticator, Login
from engine.pbx.bindings import Binding, target_of
from engine.pbx.reach import flow_to_phone, one_flow_each
from engine.pbx.reception import dialled_number, hops_left
from engine.sip.headers import Headers
from engine.sip.identity import Caller, shown_to_phone
from engine.sip.message import Request
from engine.sip.transaction.outputs import RequestArrived, RequestFailed, ResponseArrived
from engine.sip.uri import escaped_user
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

MOST_BYTES = 8192
"""Of a message's body; longer ones are no text that somebody types."""
PATIENCE_S = 20.0
"""How long phones may say nothing: the sender itself gives up after 32 s, and should hear why."""
_KEPT = ("Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition", "Date", "Subject")
"""Header fields that belong to the text."""


class Delivery:
    """One message on its way to the phones of an extension: the first that takes it answers for all."""

    __slots__ = ("_arrived", "_exchange", "_missed", "_waiting", "timers")

    def __init__(self, exchange: Exchange, arrived: RequestArrived) -> None:
        self._exchange = exchange
        self._arrived: RequestArrived | None = arrived
        self._waiting = 0
        self._missed: list[int] = []
        self.timers: dict[str, list[object]] = {}

    def send(self, request: Request, phone: Binding) -> None:
        """To one phone; one that cannot be reached counts as missed."""
        flow = flow_to_phone(self._exchange.endpoint, phone)
        if flow is None:
            return
        self._waiting += 1
        self._exchange.agent.send_request(request, flow, self._exchange.clock.now(), self)

    def take(self, output: ResponseArrived | RequestFailed) -> None:
        """What a phone says."""
        if isinstance(output, ResponseArrived):
            status = output.response.status
            if status < 200:
                return
        else:
            status = output.status
        self._waiting -= 1
        if status < 300:
            self._answer(200)
        else:
            self._missed.append(status)
            self.conclude()

    def conclude(self) -> None:
        """Once nobody is left who could take it, the sender hears so: why, where a phone has said it."""
        if self._waiting == 0:
            told = [status for status in self._missed if 400 <= status < 700 and status not in (401, 407, 408)]
            self._answer(min(told, default=480))
        elif not self.timers:
            self._exchange.agent.layer.book.set(self, "patience", PATIENCE_S, self._exchange.clock.now())

    def on_timer(self, name: str, now: float) -> None:
        """From the endpoint's timer book: phones that have said nothing so long do not take it."""
        self._answer(480)

    def _answer(self, status: int) -> None:
        arrived, self._arrived = self._arrived, None
        if arrived is not None:
            self._exchange.agent.layer.book.clear_all(self)
            self._exchange.agent.respond(arrived, status, self._exchange.clock.now())


class TextMessages:
    """Takes messages from who has logged in: who sends is never what From says."""

    def __init__(self, exchange: Exchange, authenticator: Authenticator) -> None:
        self._exchange = exchange
        self._authenticator = authenticator

    def receive(self, arrived: RequestArrived) -> None:
        """Challenge, refuse, or carry on."""
        agent, now = self._exchange.agent, self._exchange.clock.now()
        identity = self._authenticator.identify(arrived.request, arrived.flow.remote_host, now, proxy=True)
        if identity.login is Login.CHALLENGE:
            fields = self._authenticator.challenge(now, proxy=True, is_stale=identity.is_stale)
            agent.answer_stranger(arrived, 407, now, fields)
        elif identity.extension is None:
            self._authenticator.report("MESSAGE", identity, arrived.flow.remote, now)
            agent.answer_stranger(arrived, 403, now, ())
        else:
            try:
                self._carry(arrived, identity.extension)
            except RemoteError as error:
                agent.respond(arrived, error.status, now, reason=error.reason)

    def _carry(self, arrived: RequestArrived, sender: Extension) -> None:
        exchange, request = self._exchange, arrived.request
        if len(request.body) > MOST_BYTES:
            raise RemoteError(413, f"More Than {MOST_BYTES} Bytes")
        hops = hops_left(request)
        if hops <= 0:
            raise RemoteError(483, "Too Many Hops")
        number = dialled_number(request)
        if number not in exchange.configuration.extensions:
            raise RemoteError(404, "No Such Number")
        phones = one_flow_each(exchange.endpoint, exchange.bindings.of(number))
        if not phones:
            raise RemoteError(480, "Phone Not Registered")
        log.info("a message from %s for %s, %d bytes", sender.number, number, len(request.body))
        delivery = Delivery(exchange, arrived)
        for phone in phones:
            delivery.send(self._copy(request, sender, number, phone, hops - 1), phone)
        delivery.conclude()

    def _copy(self, request: Request, sender: Extension, number: str, phone: Binding, hops: int) -> Request:
        token, nat = self._exchange.agent.token, self._exchange.endpoint.nat
        host = nat.host_for(phone.local_host, phone.source_host)
        place = f"[{host}]" if ":" in host else host
        headers = Headers([
            *[("Route", route) for route in phone.path],
            ("Max-Forwards", str(hops)),
            ("From", f"{shown_to_phone(Caller(sender.number, sender.name), place)};tag={token(8)}"),
            ("To", f"<sip:{escaped_user(number)}@{place}>"),
            ("Call-ID", token(16)),
            ("CSeq", "1 MESSAGE"),
        ])  # fmt: skip
        for name in _KEPT:
            value = request.headers.get(name)
            if value is not None:
                headers.add(name, value)
        return Request("MESSAGE", target_of(phone.contact), headers, request.body)
