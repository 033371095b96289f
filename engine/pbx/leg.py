"""A leg: one party of a call, its SIP session and its place at the media gateway."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.core.errors import RemoteError
from engine.core.ids import CallId
from engine.core.views import PartyRole, PartyState, PartyView, QualityView
from engine.media.gateway import (
    Flow as MediaFlow,
)
from engine.media.gateway import (
    LegPlan,
    LegStatistics,
    MediaAddress,
    MediaGateway,
    MediaLegId,
    PayloadFormat,
)
from engine.pbx.trace import Trace, TracedLeg
from engine.sip.flow import Flow
from engine.sip.offer_answer import MediaNegotiation, RtpAddress, Settled, Warn
from engine.sip.sdp import Format
from engine.sip.session import Session
from engine.store.configuration import Extension, HoldPolicy
from engine.store.outside import Trunk

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange
    from engine.pbx.trunks.limits import Claim


SILENT_S = 10.0
"""Phones send RTP every 20 ms or, with silence suppression, RTCP every 5 s or so: beyond that is silence."""
PATIENCE = 15
"""How many times longer a party may be silent that holds, is held or only listens."""
NOTHING_HEARD = QualityView(mos=1.0, loss_percent=100.0, jitter_ms=0.0)


class Leg:
    """One party. The leg negotiates SDP with the gateway and never with the other leg."""

    __slots__ = (
        "_asked_at",
        "_media",
        "call_id",
        "claim",
        "extension",
        "flow",
        "gateway",
        "holds",
        "is_quiet",
        "lacks",
        "name",
        "negotiation",
        "number",
        "post",
        "quality",
        "role",
        "session",
        "silent_s",
        "state",
        "traced",
        "trunk",
    )  # fmt: skip

    def __init__(
        self,
        *,
        call_id: CallId,
        number: str,
        extension: Extension | None,
        role: PartyRole,
        flow: Flow,
        gateway: MediaGateway,
        post: Callable[[Any], None],
        trunk: Trunk | None = None,
    ) -> None:
        self.call_id = call_id
        self.number = number
        self.extension = extension
        self.trunk = trunk
        """The outside line that the party is on; ``None`` for an extension."""
        self.claim: Claim | None = None
        """The room that the leg takes on its trunk."""
        self.name = extension.name if extension else None
        self.role = role
        self.state = PartyState.RINGING
        self.flow = flow
        self.gateway = gateway
        self.session: Session | None = None
        self.negotiation: MediaNegotiation | None = None
        self.holds = False
        """This party has put the other on hold."""
        self.lacks: tuple[str, ...] = ()
        """Codecs that its phone has refused in this call."""
        self.quality: QualityView | None = None
        self.silent_s: float | None = None
        """Seconds since RTP or RTCP last came from this party, when last measured; ``None`` before the first."""
        self.is_quiet = False
        """This party sends comfort noise, and nothing else for as long as it likes."""
        self.post = post
        """Hands a cue to the call."""
        self.traced: TracedLeg | None = None
        """What the trace keeps of this leg."""
        self._media: MediaLegId | None = None
        self._asked_at = 0.0
        """When the phone was last asked whether it is there, on the clock; at first when it was first looked at."""

    async def open_media(self, exchange: Exchange) -> None:
        """Take a port pair towards this party; raises ``PortsExhaustedError`` or ``OSError``."""
        bound = exchange.media_host.local_for(self.flow.local_host)
        self._media, address = await self.gateway.open_leg(bound)
        session_id = int(exchange.agent.token(7), 16)
        host = exchange.media_host.announced(address.host, self.flow, exchange.endpoint.nat)
        self.negotiation = MediaNegotiation(session_id, RtpAddress(host, address.port, address.rtcp_port))

    def readdress(self, exchange: Exchange) -> bool:
        """Say our address as this party must be told it now; whether that is another one than before."""
        nat = exchange.endpoint.nat
        before, flow = self.flow.sent_by, nat.see(self.flow)
        if flow.sent_by == before:
            return False
        self.flow = flow
        if self.session is not None:
            self.session.flow = nat.see(self.session.flow)
            self.session.contact = self.session.contact.replace(f"@{before}", f"@{flow.sent_by}")
        if self.negotiation is not None:
            bound = exchange.media_host.local_for(flow.local_host)
            host = exchange.media_host.announced(bound, flow, nat)
            self.negotiation.local = self.negotiation.local._replace(host=host)
        return True

    def be_traced(self, trace: Trace) -> None:
        """The messages of the leg's session belong to its call from now on."""
        sip_id = self.dialogue.call_id.encode("utf-8", "surrogateescape")
        self.traced = TracedLeg(self.number, self.name, self.role, self.flow, sip_id)
        trace.claim(self.call_id, self.traced)

    @property
    def media(self) -> MediaLegId:
        """The leg's handle at the gateway."""
        assert self._media is not None
        return self._media

    @property
    def has_media(self) -> bool:
        return self._media is not None

    @property
    def talks(self) -> MediaNegotiation:
        """The negotiation of an opened leg."""
        assert self.negotiation is not None
        return self.negotiation

    @property
    def dialogue(self) -> Session:
        """The session of a leg that has one."""
        assert self.session is not None
        return self.session

    @property
    def codec(self) -> str | None:
        settled = self.negotiation.settled if self.negotiation else None
        return settled.codec if settled else None

    @property
    def hold_policy(self) -> HoldPolicy:
        return self.extension.hold if self.extension else HoldPolicy.LOCAL

    async def apply(self, settled: Settled) -> None:
        """Tell the gateway what an offer and its answer agreed on; raises ``RemoteError(488)`` when it cannot."""
        try:
            host = self.session.heard_from if self.session is not None else self.flow.remote_host
            await self.gateway.update_leg(self.media, leg_plan(settled, host))
        except (OSError, ValueError):
            raise RemoteError(488, "Media Address Cannot Be Reached", Warn.NETWORK_ADDRESS) from None

    async def measure(self) -> LegStatistics:
        """Ask the gateway and remember the quality of what this party sends.

        Where it should be heard and sends neither RTP nor RTCP any more, that is the worst there is.
        """
        statistics = await self.gateway.query(self.media)
        self.silent_s, self.is_quiet = statistics.silent_s, statistics.is_quiet
        self.quality = NOTHING_HEARD if self.is_silent else quality_of(statistics)
        return statistics

    @property
    def should_send(self) -> bool:
        """Whether audio is expected of this party: who holds, is held or only listens may be silent."""
        if self.state is not PartyState.TALKING or self.negotiation is None:
            return False
        settled = self.negotiation.settled
        return settled is not None and settled.flow.receives and settled.image is None

    @property
    def is_silent(self) -> bool:
        """Whether a party that talked has not been heard of for a while."""
        is_silent = self.silent_s is not None and self.silent_s > SILENT_S
        return is_silent and self.should_send and not self.is_quiet

    def is_overdue(self, limit: int, now: float) -> bool:
        """The dead-party clock, to be looked at every few seconds after the answer.

        True once a party that should send has sent neither RTP nor RTCP for ``limit`` seconds, and again each
        ``limit`` seconds while that lasts: its phone is to be asked, for a muted one may be well. A party that may
        be silent, or whose audio never came through at all, has ``PATIENCE`` times as long.
        """
        if not self._asked_at:
            self._asked_at = now
        silent_s = self.silent_s
        patience = limit if silent_s is not None and self.should_send else limit * PATIENCE
        if now - self._asked_at <= patience or (silent_s is not None and silent_s <= patience):
            return False
        self._asked_at = now
        return True

    async def close_media(self) -> None:
        """Release the port pair and keep the final figures."""
        if self._media is None:
            return
        media, self._media = self._media, None
        statistics = await self.gateway.close_leg(media)
        if self.traced is not None:
            self.traced.statistics, self.traced.codec = statistics, self.codec
        final = quality_of(statistics)
        if self.quality is not NOTHING_HEARD:
            self.quality = final or self.quality

    def let_go(self) -> None:
        """Break the ties to the call, so that nothing keeps an ended call alive."""
        self.state = PartyState.ENDED
        self.post = _nowhere
        if self.session is not None:
            self.session.user = None
        if self.claim is not None:
            self.claim.release()
            self.claim = None

    @property
    def peer(self) -> Extension | Trunk:
        """Whose settings count for this leg."""
        peer = self.extension or self.trunk
        assert peer is not None
        return peer

    def view(self) -> PartyView:
        return PartyView(
            extension=self.extension.number if self.extension else None,
            role=self.role,
            codec=self.codec,
            state=self.state,
            quality=self.quality,
        )


def leg_plan(settled: Settled, signalling_host: str) -> LegPlan:
    """What the gateway must know of a settled SDP; the phone's signalling source may send RTP, too (NAT)."""
    remote = settled.remote
    if settled.image is not None:  # UDPTL has no RTCP beside it
        fax = MediaAddress(remote.host, remote.port, 0) if remote else None
        return LegPlan(fax, (), trusted_hosts=(signalling_host,), is_datagrams=True)
    return LegPlan(
        remote=MediaAddress(remote.host, remote.port, remote.rtcp_port) if remote else None,
        formats=_payloads(settled.formats),
        flow=_FLOWS[settled.flow.value],
        trusted_hosts=(signalling_host,),
        packet_ms=settled.packet_ms,
    )


@lru_cache(maxsize=256)
def _payloads(formats: tuple[Format, ...]) -> tuple[PayloadFormat, ...]:
    """The same for every call between two kinds of phones."""
    return tuple([PayloadFormat(form.payload_type, form.encoding, form.clock_rate) for form in formats])


_FLOWS = {flow.value: flow for flow in MediaFlow}


def vanished(leg: Leg, status: int) -> str:
    """The cause of a call whose ``leg`` answers no more."""
    return f"{status} {leg.role.value.capitalize()} Vanished"


def quality_of(statistics: LegStatistics) -> QualityView | None:
    """The quality of what came from the peer; ``None`` before anything came."""
    received = statistics.received
    if not received.packets:
        return None
    return QualityView(received.mos, received.loss_percent, received.jitter_ms)


def _nowhere(cue: Any) -> None:
    """Where the news of an ended call go."""
