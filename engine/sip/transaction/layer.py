"""The transaction layer: datagrams and time in, ordered outputs out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Any

from engine.core.errors import LocalError, RemoteError
from engine.sip.flow import Flow
from engine.sip.headers import via_seen_from
from engine.sip.message import BadRequestError, Request, Response, make_response, parse_message
from engine.sip.transaction.client import (
    ClientCue,
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
)
from engine.sip.transaction.key import MAGIC_COOKIE, Key, client_key, invite_key_of_cancel, server_key
from engine.sip.transaction.outputs import AckArrived, CancelArrived, Output, RequestArrived, Send
from engine.sip.transaction.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerCue,
    ServerState,
    ServerTransaction,
)
from engine.sip.transaction.timing import TimerBook, Timing
from engine.sip.uri import split_list
from engine.sip.validate import validate_request, validate_response

_DEFAULT_PORT = 5060
LARGEST_DATAGRAM = 1300
"""Bytes of a request that may go over UDP when the path's MTU is unknown (RFC 3261 section 18.1.1)."""


class TransactionLayer:
    """All transactions of one endpoint.

    ``token(n)`` gives ``n`` random bytes as hex. After ``receive``, ``advance`` or any sending call the user takes
    ``outputs`` in order.
    """

    def __init__(self, token: Callable[[int], str], timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self.book = TimerBook()
        self.outputs: list[Output] = []
        self.clients: dict[Key, ClientTransaction] = {}
        self.servers: dict[Key, ServerTransaction] = {}
        self.ignored_cues = 0
        self.garbage = 0
        """Datagrams that were no SIP message."""
        self.garbage_from: Flow | None = None
        """Where the last of them came from."""
        self.stream_beside: Callable[[Flow], Flow | None] = lambda flow: None
        """Gives the TCP flow to the peer of a UDP flow, where there may be one: large requests go there."""
        self._merged: dict[Key, ServerTransaction] = {}
        self._token = token

    # -- what comes in ------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """One whole message; what is none is counted, what can be refused is answered."""
        try:
            message = parse_message(data)
            if isinstance(message, Response):
                self._receive_response(message, now)
            else:
                self._receive_request(message, flow, now)
        except BadRequestError as error:
            self._refuse(error, flow)
        except RemoteError:
            self._count_garbage(flow)

    def refuse(self, data: bytes, flow: Flow, status: int, reason: str) -> None:
        """Answer the head of a request that cannot be told from what follows it in its stream (section 18.3)."""
        try:
            message = parse_message(data)
        except BadRequestError as error:
            message = error.request
        except RemoteError:
            self._count_garbage(flow)
            return
        if isinstance(message, Request):
            self._refuse(BadRequestError(status, reason, message), flow)
        else:
            self._count_garbage(flow)

    def _count_garbage(self, flow: Flow) -> None:
        self.garbage += 1
        self.garbage_from = flow

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        try:
            flow = _note_source(request, flow)
            key = server_key(request)
        except RemoteError as error:
            raise BadRequestError(error.status, error.reason, request) from None
        transaction = self.servers.get(key)
        if transaction is not None:
            cue = ServerCue.ACK if request.method == "ACK" else ServerCue.REQUEST
            transaction.take(cue, now, request)
            return
        validate_request(request)
        if request.method == "ACK":
            self.outputs.append(AckArrived(request, flow))
            return
        kind = InviteServerTransaction if request.method == "INVITE" else NonInviteServerTransaction
        transaction = kind(self, key, request, flow)
        self.servers[key] = transaction
        if request.method == "INVITE":
            transaction.start_trying(now, None)
        if request.method == "CANCEL":
            self.outputs.append(
                CancelArrived(transaction, request, self.servers.get(invite_key_of_cancel(request)))
            )
        elif self._is_merged(transaction, request):
            transaction.respond(make_response(request, 482), now)
        else:
            self.outputs.append(RequestArrived(transaction, request, flow))

    def _is_merged(self, transaction: ServerTransaction, request: Request) -> bool:
        """The same request over a second path (RFC 3261 section 8.2.2.2)."""
        if request.to_tag is not None:
            return False
        merge_key = (request.from_tag or "", request.call_id, str(request.cseq))
        first = self._merged.setdefault(merge_key, transaction)
        if first is not transaction:
            return True
        transaction.merge_key = merge_key
        return False

    def _receive_response(self, response: Response, now: float) -> None:
        validate_response(response)
        transaction = self.clients.get(client_key(response))
        if transaction is None:
            self.ignored_cues += 1
            return
        transaction.receive(response, now)

    def _refuse(self, error: BadRequestError, flow: Flow) -> None:
        """Answer a broken request without keeping state: with a Via its sender can tell what the answer is to."""
        request = error.request
        if request.method == "ACK" or "Via" not in request.headers:
            self._count_garbage(flow)
            return
        with suppress(RemoteError):  # a Via that cannot be read goes back as it came
            flow = _note_source(request, flow)
        response = make_response(request, error.status, error.reason, to_tag=lasting_tag(request))
        for name in ("From", "To", "Call-ID", "CSeq"):
            value = response.headers.get(name)
            if value is not None:
                response.headers.remove(name)  # a request may have several of what an answer has one
                response.headers.add(name, value)
        for name, value in error.headers:
            response.headers.add(name, value)
        self.outputs.append(Send(flow, response.encode()))

    # -- what goes out ------------------------------------------------------------------------------------------

    def send_request(self, request: Request, flow: Flow, now: float, user: Any = None) -> ClientTransaction:
        """Push our Via and send; ``user`` comes back as ``transaction.user`` with every output."""
        if request.method == "ACK":
            raise LocalError("an ACK is no transaction: use send_ack")
        branch = self._push_via(request, flow)
        return self._start_client(request, flow, branch, now, user)

    def send_cancel(self, invite: ClientTransaction, now: float, reason: str | None = None) -> ClientTransaction:
        """Cancel our INVITE (RFC 3261 section 9.1); ``reason`` is a Reason value (RFC 3326)."""
        source = invite.request
        cancel = Request("CANCEL", source.uri)
        cancel.headers.add("Via", source.headers.get("Via") or "")
        for name in ("From", "To", "Call-ID"):
            cancel.headers.add(name, source.headers.get(name) or "")
        cancel.headers.add("CSeq", f"{source.cseq.number} CANCEL")
        cancel.headers.add("Max-Forwards", "70")
        for route in source.headers.all("Route"):
            cancel.headers.add("Route", route)
        if reason:
            cancel.headers.add("Reason", reason)
        return self._start_client(cancel, invite.flow, invite.key[0], now, None)

    def send_ack(self, ack: Request, flow: Flow) -> bytes:
        """Send the ACK of a 2xx, outside any transaction; returns its bytes for resending."""
        self._push_via(ack, flow)
        data = ack.encode()
        self.outputs.append(Send(flow, data))
        return data

    def answer_once(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Send a final response and keep no state (RFC 3261 section 8.2.7).

        For strangers: nothing waits for their ACK, nothing is resent to an address they may have forged. A
        request that comes again is answered again.
        """
        self.outputs.append(Send(transaction.flow, response.encode()))
        transaction.take(ServerCue.FORGET, now)

    def resend(self, flow: Flow, data: bytes) -> None:
        """Put bytes on the wire again that belong to no transaction (an ACK, a 2xx)."""
        self.outputs.append(Send(flow, data))

    def fail_flow(self, flow: Flow, now: float) -> None:
        """The transport could not send on ``flow``: tell every transaction on it."""
        self.fail_flows({flow}, now)

    def fail_flows(self, failed: Set[Flow], now: float) -> None:
        """The transport could not send on these flows: tell every transaction on them."""
        for client in [item for item in self.clients.values() if item.flow in failed]:
            if not client.switch_back(now):
                client.take(ClientCue.TRANSPORT_ERROR, now)
        for server in [item for item in self.servers.values() if item.flow in failed]:
            server.take(ServerCue.TRANSPORT_ERROR, now)

    def lose_flows(self, lost: Set[Flow], now: float) -> None:
        """These connections are gone: tell every request of ours on them (section 17.1.4).

        Answers may still reach their peer over another connection (section 18.2.2). A caller that rings is told
        so again at once: where it cannot be reached, its call fails without waiting for an answer.
        """
        for client in [item for item in self.clients.values() if item.flow in lost]:
            if not client.switch_back(now):
                client.take(ClientCue.TRANSPORT_ERROR, now)
        for server in [item for item in self.servers.values() if item.flow in lost]:
            if server.state is ServerState.PROCEEDING:
                server.take(ServerCue.REQUEST, now)

    def _push_via(self, request: Request, flow: Flow) -> str:
        branch = MAGIC_COOKIE + self._token(8)
        request.headers.add_first("Via", f"SIP/2.0/{flow.transport} {flow.sent_by};branch={branch};rport")
        return branch

    def _start_client(self, request: Request, flow: Flow, branch: str, now: float, user: Any) -> ClientTransaction:
        key = (branch, request.method)
        kind = InviteClientTransaction if request.method == "INVITE" else NonInviteClientTransaction
        transaction = kind(self, key, request, flow, user)
        self.clients[key] = transaction
        if len(transaction.data) > LARGEST_DATAGRAM and not flow.is_reliable:
            stream = self.stream_beside(flow)
            if stream is not None:
                transaction.switch(stream)
        transaction.start(now)
        return transaction

    # -- time and order -----------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Fire the timers that are due."""
        self.book.advance(now)

    def next_timer(self) -> float | None:
        return self.book.next_due()

    def take_outputs(self) -> list[Output]:
        """What happened since the last call, in order."""
        outputs, self.outputs = self.outputs, []
        return outputs

    def forget_client(self, transaction: ClientTransaction) -> None:
        self.clients.pop(transaction.key, None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        self.servers.pop(transaction.key, None)
        if transaction.merge_key is not None:
            self._merged.pop(transaction.merge_key, None)


def lasting_tag(request: Request) -> str:
    """A To tag that is the same for the same request, of which nothing is remembered (RFC 3261 section 8.2.7)."""
    known = [request.headers.get(name) for name in ("Call-ID", "CSeq", "From")]
    return hashlib.blake2s(repr(known).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def _note_source(request: Request, flow: Flow) -> Flow:
    """Write ``received`` and ``rport`` into the top Via, so that every response carries them.

    Returns the flow that the peer is answered and reached on: where it came from, unless it says itself that it
    listens at another port of its own address (RFC 3261 section 18.2.2). Behind a NAT it cannot know that.
    """
    via = request.via
    seen = via_seen_from(via, flow.remote_host, flow.remote_port)
    if seen is via:
        port = via.port or _DEFAULT_PORT
        if port == flow.remote_port or flow.is_reliable:
            return flow
        return Flow(flow.transport, flow.local_host, flow.local_port, flow.remote_host, port, flow.told_host)
    line = request.headers.get("Via") or ""
    first = str(seen)
    request.headers.replace_first("Via", ", ".join([first, *split_list(line)[1:]]) if "," in line else first)
    return flow
