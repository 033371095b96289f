"""Early media: what the caller hears before the answer, from the first branch that sends it or from the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.core.errors import RemoteError
from engine.core.views import PartyState
from engine.media.gateway import PLAYABLE
from engine.pbx.converting import answerable, is_understood
from engine.pbx.leg import Leg

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange


class _Branch(NamedTuple):
    """One early dialog: a phone, or one of several phones behind a proxy that share the leg."""

    leg: Leg
    tag: str | None
    sdp: bytes
    is_renewed: bool = False
    """It has offered anew since: what answers our first offer in it is out of date."""

    def is_same(self, other: _Branch) -> bool:
        return self.leg is other.leg and self.tag == other.tag


class EarlyMedia:
    """The caller gets one SDP of the gateway, once; branches come and go behind it.

    The first branch that sends SDP is heard. When it is gone the next takes its place, and while none is heard the
    gateway plays ringback: a caller that was given SDP makes no tone of its own.
    """

    __slots__ = ("_caller", "_counted", "_exchange", "_gateway", "_heard", "_is_ringing_back", "_others", "answer")

    def __init__(self, exchange: Exchange, caller: Leg) -> None:
        self._exchange = exchange
        self._gateway = exchange.gateway
        self._caller = caller
        self._heard: _Branch | None = None
        self._others: list[_Branch] = []
        self._counted: int | None = None
        """RTP packets of the branch that is heard, when last looked at."""
        self._is_ringing_back = False
        self.answer = b""
        """What the caller was given; empty while no branch has sent a usable SDP."""

    @property
    def is_heard(self) -> bool:
        """Whether the caller hears a branch."""
        return self._heard is not None

    def answer_of(self, leg: Leg, tag: str | None, said: bytes) -> bytes:
        """What counts of a branch whose 200 carries ``said``: that, else what it sent before; empty for nothing.

        A 200 behind an offer of its own repeats old things at most (RFC 3261 section 13.2.1).
        """
        known = self._known(leg, tag)
        return said if known is None or (said and not known.is_renewed) else known.sdp

    def renew(self, leg: Leg, tag: str | None, sdp: bytes) -> None:
        """A branch has offered anew, and was answered."""
        known = self._known(leg, tag)
        if known is None:
            return
        renewed = _Branch(leg, tag, sdp, True)
        if known is self._heard:
            self._heard = renewed
        else:
            self._keep(renewed)

    def _known(self, leg: Leg, tag: str | None) -> _Branch | None:
        branches = [*self._others, self._heard] if self._heard is not None else self._others
        return next((branch for branch in branches if branch.leg is leg and branch.tag == tag), None)

    async def hear(self, leg: Leg, tag: str | None, sdp: bytes) -> None:
        """A branch sends SDP. Raises ``RemoteError`` when it is the caller's own media that cannot be used."""
        branch = _Branch(leg, tag, sdp)
        known = self._known(leg, tag)
        if known is not None and known.is_renewed:
            return
        if self._heard is None:
            await self._take(branch)
        elif not branch.is_same(self._heard):
            self._keep(branch)
        elif sdp != self._heard.sdp:
            await self._take(branch)

    async def lose(self, leg: Leg) -> None:
        """A phone rings no longer: the next that sends is heard, or ringback."""
        self._others = [branch for branch in self._others if branch.leg is not leg]
        if self._heard is None or self._heard.leg is not leg:
            return
        self._heard = None
        while self._others and self._heard is None:
            await self._take(self._others.pop(0))
        if self._heard is None:
            await self._ring_back()

    async def listen(self) -> None:
        """Called every few seconds: a branch from which no audio comes is none that could be heard."""
        if self._heard is None:
            return
        packets = (await self._gateway.query(self._heard.leg.media)).received.packets
        before, self._counted = self._counted, packets
        if before is None:
            return
        if packets == before:
            await self._ring_back()
        elif self._is_ringing_back:
            self._is_ringing_back = False
            await self._gateway.stop_playing(self._caller.media)

    async def _take(self, branch: _Branch) -> None:
        """Let the caller hear this branch, if its SDP can be used."""
        leg, caller = branch.leg, self._caller
        try:
            settled = leg.talks.take_answer(branch.sdp)
            await leg.apply(settled)
        except RemoteError:
            return  # the final answer will tell
        if not self.answer:
            codecs = answerable(self._exchange, caller, settled.codecs)
            answer, of_caller = caller.talks.make_answer(codecs)
            await caller.apply(of_caller)
            self.answer = answer
        elif caller.talks.settled is None or not is_understood(
            self._exchange, settled.codec, caller.talks.settled.codecs
        ):
            return  # before its answer the caller cannot be asked for another codec
        await self._gateway.connect(caller.media, leg.media)
        self._is_ringing_back = False
        self._counted = None
        self._heard = branch
        leg.state = PartyState.EARLY

    def _keep(self, branch: _Branch) -> None:
        """Remember who else sends, in the order in which they began."""
        for place, known in enumerate(self._others):
            if known.is_same(branch):
                self._others[place] = branch
                return
        if len(self._others) < _MOST_KEPT:
            self._others.append(branch)

    async def _ring_back(self) -> None:
        settled = self._caller.talks.settled
        if self._is_ringing_back or settled is None or not PLAYABLE & set(settled.codecs):
            return
        self._is_ringing_back = True
        await self._gateway.play(self._caller.media, self._exchange.ringback(), repeat=True)


_MOST_KEPT = 32
