"""What registering and watching a line have in common: asking a server, and resting until the next turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

from engine.net.resolve import Server
from engine.pbx.inquiry import Inquiry
from engine.pbx.trunks.line import TrunkLine
from engine.sip.flow import Flow
from engine.sip.headers import Headers
from engine.sip.message import Request, Response
from engine.sip.transaction.outputs import RequestFailed
from engine.store.outside import Trunk

PATIENCE_S = 6.0
"""How long a server that shows no sign of life is waited for where there is another one."""
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0
"""How long a line rests after no server could serve it; each time in a row doubles it (RFC 5626 section 4.5)."""


LEAVE_S = 2.0
"""How long the answer to a last request is waited for."""


class Silence(NamedTuple):
    """Why there is no answer."""

    why: str


class LineKeeper:
    """Base of both keepers: a loop that rests, and can be told to hurry or to leave."""

    def __init__(self, line: TrunkLine, trunk: Trunk) -> None:
        self.line = line
        self.trunk = trunk
        """As it was configured when this keeper began."""
        self._is_leaving = False
        self._nudge = asyncio.Event()
        self._failures = 0
        self._inquiry: Inquiry | None = None
        self._seen_as: str | None = None
        """The address and port that the latest answer says we come from: another than our own behind a NAT."""

    def leave(self) -> None:
        self._is_leaving = True
        self._nudge.set()
        if self._inquiry is not None:
            asyncio.get_running_loop().call_later(LEAVE_S, self._inquiry.give_up)

    def hurry(self) -> None:
        self._failures = 0
        self._nudge.set()

    def note_lost(self, flow: Flow) -> None:
        """A connection is gone: the next look opens another one."""

    def readdress(self) -> None:
        """The other side must be told another address of ours: the next request says it."""

    async def _rest(self, seconds: float) -> bool:
        """Wait; whether the time is over rather than that somebody is in a hurry."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudge.wait(), max(seconds, 0.0))
        was_nudged = self._nudge.is_set()
        self._nudge.clear()
        return not was_nudged

    def _pause(self) -> float:
        """How long to rest after another failure in a row: with chance in it, for many offices fail at once."""
        around = self.line.around
        self._failures += 1
        most = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failures - 1, 16))
        return most * around.random.uniform(0.5, 1.0)

    async def _ask(self, request: Request, server: Server, patience_s: float | None) -> Response | Silence:
        """The final response of a server; who shows no sign of life is given up after ``patience_s``."""
        around, flow = self.line.around, self.line.flow(server)
        if flow is None:
            return Silence("has no socket of ours")
        inquiry = self._inquiry = Inquiry()
        transaction = around.agent.send_request(request, flow, around.clock.now(), inquiry)
        around.endpoint.flush()
        try:
            if patience_s is not None and not await inquiry.any_sign(patience_s):
                return Silence(around.endpoint.trouble_with(flow) or "does not answer")
            end = await inquiry.end()
        finally:
            self._inquiry = None
            transaction.abandon(around.clock.now())
            around.endpoint.flush()
        if end is None or isinstance(end, RequestFailed):
            return Silence(around.endpoint.trouble_with(flow) or "does not answer")
        before, self._seen_as = self._seen_as, seen_as(end.response) or self._seen_as
        if before is not None and self._seen_as is not None:
            around.endpoint.nat.note_seen(host_of(before), host_of(self._seen_as))
        return end.response

    async def _look(self, server: Server, patience_s: float) -> Response | Silence:
        """OPTIONS: whether a server is there."""
        line, token = self.line, self.line.around.agent.token
        flow = line.flow(server)
        own = f"sip:{line.contact_user}@{flow.sent_by}" if flow is not None else "sip:anonymous.invalid"
        headers = Headers([
            *[("Route", route) for route in line.routes],
            ("Max-Forwards", "70"),
            ("From", f"<{own}>;tag={token(8)}"),
            ("To", f"<sip:{line.domain}>"),
            ("Call-ID", token(16)),
            ("CSeq", "1 OPTIONS"),
            ("Accept", "application/sdp"),
            ("User-Agent", line.around.agent.product),
        ])  # fmt: skip
        return await self._ask(Request("OPTIONS", f"sip:{line.domain}", headers), server, patience_s)


def seen_as(response: Response) -> str | None:
    """Where a server has seen our request come from (RFC 3581); ``None`` when it does not say."""
    said = dict(response.via.params)
    host, port = said.get("received") or response.via.host, said.get("rport")
    return f"{host} {port}" if port else None


def host_of(place: str) -> str:
    """The address of what ``seen_as`` gives."""
    return place.partition(" ")[0].strip("[]")
