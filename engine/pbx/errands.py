"""Errands of services: an extension is rung at a later time, and whoever answers is in the service."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core.errors import RemoteError
from engine.core.views import CallState, Lamp, PartyRole, PartyState, ReleasedBy
from engine.media.gateway import PortsExhaustedError
from engine.pbx.bindings import Binding, target_of
from engine.pbx.call import Begin, Call, Release, RingTimeout, Told, no_matter
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.reach import flow_to_phone, one_flow_each
from engine.pbx.setup import COMPLETED_ELSEWHERE
from engine.sip.identity import Caller, shown_to_phone
from engine.sip.session.events import Answered, Cancelled, Ended, Failed
from engine.sip.uri import escaped_user
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

RING_S = 45.0
WHO = "who"
"""The fact of a service that names the operator whom its phone was rung for."""
_KEY = ("errands", "", "all")
FREE = "free"
"""The setting that names an extension which must be idle first."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done: ``at`` in seconds since 1970."""

    extension: str
    service: str
    at: float
    settings: Mapping[str, str]
    who: str | None = None
    """The operator who asked for it; ``None``: the extension itself."""


class Errands:
    """One errand for each extension and service; they outlast a restart. Looked at every few seconds."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._waiting: dict[tuple[str, str], Errand] = {}
        for kept in exchange.keeper.recall(*_KEY) or ():
            with suppress(TypeError, ValueError, KeyError):
                errand = Errand(
                    kept["extension"], kept["service"], float(kept["at"]), dict(kept["settings"]), kept.get("who")
                )
                self._waiting[errand.extension, errand.service] = errand

    def put(self, errand: Errand) -> None:
        """Do it then, instead of the one there was."""
        self._waiting[errand.extension, errand.service] = errand
        self._keep()

    def drop(self, extension: str, service: str) -> None:
        if self._waiting.pop((extension, service), None) is not None:
            self._keep()

    def camps(self) -> tuple[tuple[str, str], ...]:
        """Who waits for somebody else to be free: both extensions."""
        found = ((each.extension, each.settings.get(FREE)) for each in self._waiting.values())
        return tuple((by, target) for by, target in found if target is not None)

    def look(self) -> None:
        """Begin what is due."""
        if not self._waiting:
            return
        now = self._exchange.clock.wall().timestamp()
        for key, errand in [*self._waiting.items()]:
            if errand.at <= now and self._may_begin(errand):
                del self._waiting[key]
                self._keep()
                self._exchange.crew.run(summon(self._exchange, errand), "an errand of a service")

    def _may_begin(self, errand: Errand) -> bool:
        """Whether the one to be rung, and the one that it waits for, are free."""
        lamps = self._exchange.lamps.all()
        free = errand.settings.get(FREE)
        return free is None or (lamps.get(free) is Lamp.IDLE and lamps.get(errand.extension) is Lamp.IDLE)

    def _keep(self) -> None:
        self._exchange.revision += 1
        told: list[dict[str, Any]] = [
            {
                "extension": each.extension,
                "service": each.service,
                "at": each.at,
                "settings": dict(each.settings),
                "who": each.who,
            }
            for each in self._waiting.values()
        ]
        self._exchange.keeper.remember(*_KEY, told or None)


async def summon(
    exchange: Exchange, errand: Errand, headers: tuple[tuple[str, str], ...] = (), told: Told = no_matter
) -> None:
    """Ring an extension for a service; ``told`` hears of it only when nobody answers."""
    extension = exchange.configuration.extensions.get(errand.extension)
    if extension is None:
        told("No Such Extension")
        return
    call = Call(exchange, exchange.new_call_id(), errand.settings.get("target", errand.service))
    call.identity = Caller(errand.settings.get("target"), errand.service)
    phase = Summons(call, errand, headers, told)
    for phone in one_flow_each(exchange.endpoint, exchange.bindings.of(extension.number)):
        try:
            await phase.ring(extension, phone)
        except (PortsExhaustedError, OSError) as error:
            log.error("call %s cannot get media ports: %s", call.id, error)
    if not call.legs:
        log.info("service %s cannot ring %s: no phone can be reached", errand.service, errand.extension)
        told("Phone Not Reachable")
        return
    call.service = errand.service
    call.start(phase)
    call.set_ring_timeout(RING_S)
    exchange.endpoint.flush()


class Summons:
    """The phase in which an extension rings for a service."""

    def __init__(
        self,
        call: Call,
        errand: Errand,
        headers: tuple[tuple[str, str], ...] = (),
        told: Told = no_matter,
    ) -> None:
        self._told = told
        self._call = call
        self._exchange = call.exchange
        self._errand = errand
        self._headers = headers

    async def ring(self, extension: Extension, phone: Binding) -> None:
        call, exchange = self._call, self._exchange
        flow = flow_to_phone(exchange.endpoint, phone)
        if flow is None:
            return
        leg = Leg(
            call_id=call.id,
            number=extension.number,
            extension=extension,
            role=PartyRole.CALLEE,
            flow=flow,
            gateway=exchange.gateway,
            post=call.post,
        )
        await leg.open_media(exchange)
        call.join(leg)
        host = flow.sent_by
        leg.session = exchange.agent.invite(
            target=target_of(phone.contact),
            flow=flow,
            caller=shown_to_phone(call.identity, host),
            callee=f"<sip:{escaped_user(extension.number)}@{host}>",
            contact=f"<sip:{escaped_user(extension.number)}@{flow.reached_at}>",
            sdp=leg.talks.make_offer(exchange.codecs_of(extension)),
            now=exchange.clock.now(),
            user=leg,
            routes=phone.path,
            headers=self._headers,
            reliable=extension.reliable_provisional,
        )
        leg.be_traced(exchange.trace)

    async def take(self, cue: Any) -> None:
        match cue:
            case Answered():
                await self._hear_answer(cue.session.user, cue.sdp)
            case Failed() | Ended() | Cancelled():
                await self._lose(cue.session.user)
            case RingTimeout():
                self._fail(ReleasedBy.SYSTEM, "480 No Answer")
            case Release():
                self._fail(cue.released_by, cue.cause)

    def _fail(self, released_by: ReleasedBy, cause: str) -> None:
        self._told(cause)
        self._call.end(released_by, cause)

    async def _hear_answer(self, leg: Leg, sdp: bytes) -> None:
        call, now = self._call, self._exchange.clock.now()
        try:
            await leg.apply(leg.talks.take_answer(sdp))
        except RemoteError:
            leg.dialogue.end(now)
            await self._lose(leg)
            return
        call.clear_ring_timeout()
        for other in [each for each in call.legs if each is not leg]:
            other.dialogue.end(now, reason=COMPLETED_ELSEWHERE)
            await call.part(other)
        leg.role, leg.state = PartyRole.CALLER, PartyState.TALKING
        await self._go_on(leg)

    async def _go_on(self, leg: Leg) -> None:
        """Whoever has answered is in the service."""
        call = self._call
        call.answered_at = self._exchange.clock.wall()
        call.enter(CallState.SERVICE)
        settings = dict(self._errand.settings)
        facts = {"settings": settings, "argument": settings.get("argument", ""), WHO: self._errand.who}
        call.phase = InService(call, b"", self._errand.service, facts)
        call.post(Begin())

    async def _lose(self, leg: Leg) -> None:
        await self._call.part(leg)
        if not self._call.legs:
            self._fail(ReleasedBy.CALLEE, "480 No Answer")
