"""The verb ``dial``: somebody is called for the service's caller, and talks with it when they answer."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.core.errors import RemoteError
from engine.core.views import CallState, ReleasedBy
from engine.media.gateway import PLAYABLE, PortsExhaustedError
from engine.pbx.bindings import Binding
from engine.pbx.call import NORMAL, AddressChanged, Begin
from engine.pbx.conversation import Conversation
from engine.pbx.converting import usable
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg, vanished
from engine.pbx.routing import Refused, ToExtension, ToTrunks
from engine.pbx.setup import Setup
from engine.pbx.verbs.reaching import Target, routes_to
from engine.sip.headers import canonical_name
from engine.sip.identity import Caller
from engine.sip.offer_answer import Warn
from engine.sip.session.events import (
    Acknowledged,
    EarlyOffered,
    Ended,
    Referred,
    RefreshDue,
    ReofferAnswered,
    ReofferDue,
    Reoffered,
)
from engine.store.configuration import Extension
from engine.store.outside import Trunk

log = logging.getLogger(__name__)

AUTO_ANSWER = (
    ("Alert-Info", "<http://localhost>;info=alert-autoanswer;delay=0"),
    ("Call-Info", "<sip:localhost>;answer-after=0"),
)
"""What makes phones answer by themselves; there is no standard, and each maker reads one of these."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PRIORITY = (("Priority", "urgent"),)
"""What tells a phone that somebody insists (RFC 3261 section 20.26)."""
_UNREACHABLE = ("Phone Not Registered", "Phone Not Reachable", "No Outside Line")


class Order(NamedTuple):
    """Whom to call, and how."""

    targets: tuple[Target, ...]
    ring_s: float
    caller: Caller | None = None
    """Who is shown as the caller; ``None`` as it is."""
    music: bool = False
    """An answered caller hears music rather than ringback."""
    goes_on: bool = False
    """The service goes on when who answered hangs up."""
    auto_answer: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    """Further fields of each INVITE."""
    is_transfer: bool = False
    """The service is done with an answered caller once somebody answers."""
    is_priority: bool = False
    """An operator's call: do not disturb does not count, nor the limit of an outside line."""


class Dialling(Setup):
    """The phase in which a service's caller waits for whoever is called; a failure goes back to the service."""

    def __init__(self, at: InService, order: Order) -> None:
        super().__init__(
            at.call, b"" if at.is_answered else at.offer, Refused(480, "No Answer"), at.max_forwards - 1
        )
        self._at = at
        self._order = order
        self._targets = order.targets
        self._was_answered = at.is_answered
        self._identity_before = at.call.identity
        self._dialled_before = self._call.dialled
        self._rung: list[str] = []
        self._is_over = False
        if order.is_transfer:
            self._call.dialled = order.targets[0].number
        if order.auto_answer:
            self._headers = AUTO_ANSWER
        self._told_all = order.headers
        self.give(at.early, at.offered)

    async def start(self) -> None:
        call, caller = self._call, self._call.caller
        if self._order.caller is not None:
            call.identity = self._order.caller
        if self._was_answered:
            settled = caller.talks.settled
            if settled is not None and PLAYABLE & set(settled.codecs):
                clip = self._exchange.hold_music() if self._order.music else self._exchange.ringback()
                await self._exchange.gateway.play(caller.media, clip, repeat=True)
        await self._begin()

    async def take(self, cue: Any) -> None:
        caller, now = self._call.caller, self._exchange.clock.now()
        is_callers = getattr(getattr(cue, "session", None), "user", None) is caller
        if self._was_answered and is_callers:
            match cue:
                case Ended():
                    cause = NORMAL if cue.by_peer else vanished(caller, cue.status)
                    self._at.refusal = (480, "Temporarily Unavailable", 0)
                    self._call.end(ReleasedBy.CALLER if cue.by_peer else ReleasedBy.SYSTEM, cause, cue.reason)
                case Acknowledged():
                    await self._at.hear_ack(cue.sdp)
                case RefreshDue() | ReofferDue() | AddressChanged():
                    self._at.refresh()
                case ReofferAnswered():
                    await self._at.hear_refreshed(cue.sdp)
                case Referred():
                    cue.session.refuse_referral(cue.transaction, now, 491)
                case EarlyOffered():
                    cue.session.refuse_early_offer(cue.transaction, now, 491)
                case Reoffered():
                    cue.session.refuse_reoffer(now, 491)
            return
        await super().take(cue)

    # -- ringing ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Every target at once; what one refuses counts only when all do."""
        for target in self._targets:
            try:
                await self._try(target)
            except RemoteError as error:
                self._refusals.append((error.status, error.reason, None))
            except (PortsExhaustedError, OSError) as error:
                log.error("call %s cannot get media ports: %s", self._call.id, error)
                self._refusals.append((503, "No Media Ports", None))
        if self._is_over or self._call.phase is not self:
            return
        if self._ringing:
            self._call.set_ring_timeout(self._order.ring_s)
        else:
            self._refuse(*self._worst())

    async def _try(self, target: Target) -> None:
        match target.route:
            case ToExtension(extension):
                if extension.dnd and not self._order.is_priority:
                    raise RemoteError(486, "Do Not Disturb")
                await self._ring(extension)
            case ToTrunks():
                if self._outside is not None:
                    raise RemoteError(503, "One Number Outside At A Time")
                await self._call_outside(target.route, is_over_limit=self._order.is_priority)
            case Refused(status, reason):
                raise RemoteError(status, reason)
            case _:
                raise RemoteError(484, "A Service Cannot Be Dialled")

    def _worst(self) -> tuple[int, str]:
        """What counts of several refusals: somebody who is busy is somebody at least."""
        ranked = sorted(self._refusals, key=lambda item: (item[0] not in (486, 600), item[0] != 480, item[0]))
        return ranked[0][:2] if ranked else (480, "Phone Not Reachable")

    async def _call_phone(self, extension: Extension, phone: Binding, codecs: tuple[str, ...]) -> None:
        self._rung.append(extension.number)
        await super()._call_phone(extension, phone, codecs)

    async def _go_to(self, route: ToExtension | ToTrunks) -> None:
        number = route.extension.number if isinstance(route, ToExtension) else route.number
        self._targets = (Target(number, route),)
        await super()._go_to(route)

    # -- a caller that is answered ------------------------------------------------------------------------------

    @property
    def _is_waiting(self) -> bool:
        return self._at.is_answered if self._was_answered else self._call.caller.dialogue.is_waiting

    def _say(self, status: int, sdp: bytes) -> None:
        if not self._was_answered:
            super()._say(status, sdp)

    async def _accept(self, answer: bytes) -> None:
        if self._was_answered:
            await self._exchange.gateway.stop_playing(self._call.caller.media)
        else:
            await super()._accept(answer)

    def _hand_on(self, conversation: Conversation) -> None:
        self._is_over = True
        self._at.goes_on = self._order.goes_on
        if self._was_answered:
            conversation.bring_together()

    def _codecs_for(self, callee: Extension | Trunk) -> tuple[str, ...]:
        if not self._was_answered:
            return super()._codecs_for(callee)
        settled = self._call.caller.talks.settled
        spoken = settled.codecs if settled is not None else ()
        codecs = usable(self._exchange, self._exchange.codecs_of(callee), spoken)
        if not codecs:
            raise RemoteError(488, "No Common Codec", Warn.MEDIA_FORMAT)
        return codecs

    async def _hand_over_to(self, leg: Leg) -> Conversation:
        conversation = await super()._hand_over_to(leg)
        self._at.early = None
        if self._order.is_transfer:
            await self._at.hand_out()
        return conversation

    # -- back to the service ------------------------------------------------------------------------------------

    def _divert(self, status: int, reason: str) -> bool:
        return False

    def _decline(self, status: int, reason: str, warning: int) -> None:
        self._is_over = True
        at, call = self._at, self._call
        at.early, at.offered = self._early, self._offered
        call.identity, call.dialled = self._identity_before, self._dialled_before
        call.goes_outside = False
        call.clear_ring_timeout()
        if self._outside is not None:
            self._outside.close()
        self._ringing.clear()
        call.phase = _Returning(at, {"status": status_word(status, reason), "code": status, "reason": reason})
        call.post(Begin())


class _Returning:
    """The last phones are hung up on, then the service goes on."""

    def __init__(self, at: InService, result: Mapping[str, Any]) -> None:
        self._at = at
        self._result = result

    async def take(self, cue: Any) -> None:
        if isinstance(cue, Begin):
            at = self._at
            if at.is_answered:
                await at.exchange.gateway.stop_playing(at.caller.media)
            await at.come_back(self._result)
        else:
            await self._at.take(cue)


def status_word(status: int, reason: str) -> str:
    """What became of a call that nobody took, in a service's word."""
    if status in (486, 600):
        return "busy"
    if reason == "No Answer":
        return "no_answer"
    return "unreachable" if status == 408 or reason in _UNREACHABLE else "refused"


def fields_of(headers: Any) -> tuple[tuple[str, str], ...]:
    """Header fields as the sandbox has let them through; what could end a line is left out here, too."""
    if not isinstance(headers, dict):
        return ()
    fields = ((canonical_name(str(name)), str(value).strip()) for name, value in headers.items())
    return tuple((name, value) for name, value in fields if not _CONTROL.search(name + value))


async def dial(at: InService, asked: Mapping[str, Any]) -> None:
    numbers = [asked["to"]] if isinstance(asked["to"], str) else [str(each) for each in asked["to"]]
    acting = asked.get("as")
    try:
        targets = routes_to(at, tuple(dict.fromkeys(numbers)), acting)
    except RemoteError as error:
        at.over({"status": status_word(error.status, error.reason), "code": error.status, "reason": error.reason})
        return
    own = at.caller.extension
    if own is not None:
        targets = tuple(target for target in targets if target.number != own.number)
    if asked.get("inside"):
        targets = tuple(target for target in targets if isinstance(target.route, ToExtension))
    if not targets:
        at.over({"status": "unreachable", "code": 480, "reason": "Nobody To Call"})
        return
    shown = None
    if asked.get("caller") is not None or asked.get("name") is not None:
        before = at.call.identity
        shown = Caller(asked.get("caller") or before.number, asked.get("name") or before.name, before.is_private)
    ring_s = asked.get("ring") or at.exchange.configuration.params["ring_timeout_s"]
    order = Order(
        targets,
        float(ring_s),
        shown,
        bool(asked.get("music")),
        bool(asked.get("go_on")),
        bool(asked.get("auto_answer")),
        fields_of(asked.get("headers")),
    )
    at.call.enter(CallState.SERVICE)
    await at.dial(Dialling(at, order))
