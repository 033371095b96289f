"""Peers that send anything they like: the agent never raises, and always can end what it began."""

from __future__ import annotations

from contextlib import suppress
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import LocalError, RemoteError
from engine.sip.agent import UserAgent
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response, parse_message
from engine.sip.session import Session
from engine.sip.session.core import SessionState
from engine.sip.session.events import Answered, Reoffered
from engine.sip.transaction.outputs import RequestArrived, Send

UDP = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)

NASTY = {
    "Via": ["SIP/2.0/UDP 10.0.0.1", "SIP/2.0/UDP x;branch=z9hG4bK, SIP/2.0/TCP y", "x", "BRANCH", "BRANCH, BRANCH"],
    "From": ["", "x", "<sip:101@192.0.2.9>", "<sip:2@office>;tag=other", "<http://x>;tag=peer", '"a'],
    "To": ["", "x", "<sip:101@192.0.2.9>", "<sip:2@office>;tag=other", "<sip:2@office>;tag=OURS", '"a'],
    "Call-ID": ["", "another"],
    "CSeq": ["0", "2", "3", "9", "4294967296", "x"],
    "Contact": ["", "*", "x", "<tel:1>", "<sip:a@b>, x", "<http://x>", "<sip:a@b?Route=%3Csip:x%3E>"],
    "Record-Route": ["", "x", "<sip:proxy;lr>", "<sip:proxy>", "<tel:1>", "<sip:a@b>, x", "<sip:\udcff@b>", "<x"],
    "Max-Forwards": ["", "0", "256", "x"],
    "Require": ["", "100rel", ","],
    "Content-Type": ["text/plain", ";"],
    "Reason": ["x", ""],
}  # fmt: skip
CHANGES = st.sampled_from(sorted(NASTY)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(NASTY[name]))
)
METHODS = st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "DANCE"])
STATUSES = st.sampled_from([100, 180, 200, 200, 302, 491, 603])
MESSAGES = st.tuples(
    METHODS | STATUSES,
    st.booleans(),
    st.lists(CHANGES, max_size=2).map(dict),
    st.sampled_from([b"", b"v=0"]),
)
STEPS = st.lists(MESSAGES | st.sampled_from(["wait", "answer", "end", "reoffer"]), max_size=10)


class Target:
    """An agent with one call of its own out, that takes every call it gets."""

    def __init__(self) -> None:
        tokens = count(1)
        self.now = 1000.0
        self.agent = UserAgent(lambda size: f"{next(tokens):0{2 * size}x}", "test")
        self.sent: list[Request | Response] = []
        self._number = 1
        self.sessions: list[Session] = [
            self.agent.invite(
                target="sip:102@192.0.2.9", flow=UDP, caller="<sip:1@office>", callee="<sip:2@office>",
                contact="<sip:1@192.0.2.1>", sdp=b"v=0", now=self.now, user="user",
            )
        ]  # fmt: skip
        self.settle()

    def settle(self) -> None:
        while outputs := self.agent.take_outputs(self.now):
            for output in outputs:
                if isinstance(output, Send):
                    self.sent.append(parse_message(output.data))
                elif isinstance(output, RequestArrived):
                    self._take(output)
                elif isinstance(output, Reoffered):
                    output.session.accept_reoffer(self.now, b"v=0")
                elif isinstance(output, Answered) and not output.session.user:
                    output.session.acknowledge(b"v=0")

    def _take(self, arrived: RequestArrived) -> None:
        try:
            if arrived.request.method != "INVITE":
                raise RemoteError(403, "Forbidden")
            session = self.agent.take_invite(arrived, "<sip:1@192.0.2.1>", "user")
        except RemoteError as error:
            self.agent.respond(arrived, error.status, self.now)
        else:
            session.ring(self.now)
            self.sessions.append(session)

    def hear(self, kind: str | int, is_in_dialog: bool, changes: dict[str, str], body: bytes) -> None:
        """Receive a message that would be right but for ``changes``."""
        answered = next((message for message in reversed(self.sent) if isinstance(message, Request)), self.sent[0])
        self._number += 1
        usual = {
            "Via": f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{self._number}",
            "From": "<sip:2@office>;tag=peer",
            "To": "<sip:1@office>;tag=OURS" if is_in_dialog else "<sip:1@office>",
            "Call-ID": self.sessions[0].call_id if is_in_dialog else "call",
            "CSeq": str(self._number),
            "Contact": "<sip:2@192.0.2.9>",
            "Content-Type": "application/sdp",
        }
        if isinstance(kind, int):
            usual |= {name: answered.headers.get(name) or "" for name in ("Via", "From", "To", "Call-ID")}
            usual |= {"CSeq": str(answered.cseq.number)}
            usual["To"] += "" if answered.to_tag else ";tag=peer"
        method = answered.cseq.method if isinstance(kind, int) else kind
        fields = usual | changes
        fields["CSeq"] += f" {method}"
        branch = answered.headers.get("Via") or ""
        headers = Headers(
            [
                (name, value.replace("OURS", self.sessions[0].local_tag).replace("BRANCH", branch))
                for name, value in fields.items()
            ]
        )
        message = (
            Response(kind, "", headers, body)
            if isinstance(kind, int)
            else Request(kind, "sip:1@192.0.2.1", headers, body)
        )
        self.agent.receive(message.encode(), UDP, self.now)

    def do(self, step: str) -> None:
        if step == "wait":
            self.now += 7.0
            self.agent.advance(self.now)
            return
        for session in self.sessions:
            with suppress(LocalError):
                if step == "answer":
                    session.answer(self.now, b"v=0")
                elif step == "reoffer":
                    session.reoffer(self.now, b"v=0")
                else:
                    session.end(self.now)


@settings(max_examples=200)
@given(STEPS)
def test_whatever_arrives_every_session_can_be_ended_and_leaves_nothing(
    steps: list[tuple[str | int, bool, dict[str, str], bytes] | str],
) -> None:
    target = Target()
    for step in steps:
        if isinstance(step, str):
            target.do(step)
        else:
            target.hear(*step)
        target.settle()
    for _ in range(60):
        target.do("end")
        target.settle()
        target.do("wait")
        target.settle()
    assert all(session.state is SessionState.ENDED for session in target.sessions)
    layer = target.agent.layer
    for leftovers in (target.agent.sessions, layer.clients, layer.servers, layer.book, layer._merged):
        assert len(leftovers) == 0
