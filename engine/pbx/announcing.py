"""A caller that the office refuses hears why: a sentence as early media, then the refusal itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.errors import FrontdeskError, RemoteError
from engine.core.views import ReleasedBy
from engine.media.gateway import PLAYABLE, Clip, PortsExhaustedError
from engine.pbx.call import Begin, Call, Release, Replaced
from engine.pbx.early_offer import hear_early
from engine.pbx.replacing import refuse_newcomer
from engine.pbx.routing import Refused, ToTrunks
from engine.sip.message import reason_for
from engine.sip.session.events import Cancelled, EarlyAcknowledged, EarlyOffered, Ended

if TYPE_CHECKING:
    from engine.pbx.leg import Leg

log = logging.getLogger(__name__)

_BY_REASON = (
    ("403 Call Level", "not-allowed"),
    ("403 Blocked", "not-allowed"),
    ("403 Too Many Calls", "lines-busy"),
    ("503 All Lines Busy", "lines-busy"),
)
"""What the office itself says, by the beginning of its words; then by the status, whoever it comes from."""
_BY_STATUS = {
    403: "cannot-complete",
    404: "not-in-service",
    410: "not-in-service",
    484: "cannot-complete",
    503: "line-down",
    604: "not-in-service",
}
_FROM_OUTSIDE = {404: "not-in-service", 410: "not-in-service", 433: "anonymous-refused", 484: "not-in-service"}
"""To callers from outside; who is on the black list is not worth a word, nor the line."""
_AFTER_S = 0.3
"""So that the last word is heard before the phone makes its own tone."""


class _Over(NamedTuple):
    """The sentence was said."""


def prompt_for(status: int, reason: str) -> str | None:
    """The prompt that says why; ``None`` where the phone's own tone says it, as for busy."""
    said = f"{status} {reason}"
    for beginning, prompt in _BY_REASON:
        if said.startswith(beginning):
            return prompt
    return _BY_STATUS.get(status)


def sentence(call: Call, route: object, status: int, reason: str) -> Clip | None:
    """What the caller hears before it is refused; ``None`` where nothing is said.

    That is a caller of the house who cannot get outside, and one from outside whom the office itself refuses.
    """
    params, is_refused = call.exchange.configuration.params, isinstance(route, Refused)
    prompt: str | None = None
    if call.caller.trunk is not None:
        prompt = _FROM_OUTSIDE.get(status) if is_refused else None
    elif isinstance(route, ToTrunks) or (is_refused and status == 403):
        prompt = prompt_for(status, reason)
    if prompt is None or params["announce_refusals"] == "off":
        return None
    return call.exchange.prompts(prompt, params["language"])


class Announcing:
    """The phase between the decision to refuse and ``turn_down``, which refuses."""

    def __init__(self, call: Call, offer: bytes, clip: Clip, turn_down: Callable[[], None]) -> None:
        """``offer``: the SDP of the caller's INVITE, which was answered in no response yet."""
        self._call = call
        self._exchange = call.exchange
        self._offer = offer
        self._clip = clip
        self._turn_down = turn_down
        self.timers: dict[str, list[object]] = {}

    async def take(self, cue: Any) -> None:
        match cue:
            case Begin():
                await self._begin()
            case _Over():
                self._turn_down()
            case EarlyAcknowledged() | EarlyOffered():
                await self._hear_early(cue)
            case Replaced():
                await refuse_newcomer(self._call, cue, RemoteError(481, "No Such Dialog"))
            case Cancelled() if cue.session.user is self._call.caller:
                self._leave()
                self._call.end(ReleasedBy.CALLER, f"487 {reason_for(487)}", cue.reason)
            case Ended() if cue.session.user is self._call.caller:
                self._leave()
                self._call.end(ReleasedBy.SYSTEM, f"{cue.status} {cue.reason}")
            case Release():
                self._leave()
                self._call.end(cue.released_by, cue.cause)

    def on_timer(self, name: str, now: float) -> None:
        """From the endpoint's timer book."""
        self._call.post(_Over())

    async def _begin(self) -> None:
        caller, exchange = self._call.caller, self._exchange
        try:
            answer = await self._answer(caller)
            if not caller.dialogue.is_waiting:
                return  # it gave up meanwhile: its own cue is on the way
            caller.dialogue.ring(exchange.clock.now(), 183, sdp=answer)
            await exchange.gateway.play(caller.media, self._clip)
        except (FrontdeskError, PortsExhaustedError, OSError, ValueError) as error:
            log.info("call %s is refused without a word: %s", self._call.id, error)
            if caller.dialogue.is_waiting:
                self._turn_down()
            return
        seconds = self._clip.duration_ms / 1000 + _AFTER_S
        exchange.agent.layer.book.set(self, "over", seconds, exchange.clock.now())

    async def _answer(self, caller: Leg) -> bytes:
        """Our answer to the caller's offer, in a codec that can be played; raises ``RemoteError``."""
        if not caller.has_media:
            await caller.open_media(self._exchange)
        if not caller.talks.is_open:
            caller.talks.take_offer(self._offer)
        allowed = tuple(codec for codec in self._exchange.codecs_of(caller.peer) if codec in PLAYABLE)
        answer, settled = caller.talks.make_answer(allowed)
        await caller.apply(settled)
        return answer

    async def _hear_early(self, cue: EarlyAcknowledged | EarlyOffered) -> None:
        try:
            await hear_early(cue, self._exchange.clock.now())
        except FrontdeskError:
            self._leave()
            self._turn_down()

    def _leave(self) -> None:
        self._exchange.agent.layer.book.clear_all(self)
