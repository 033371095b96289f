"""A service without a caller: it looks things up, remembers, asks the web, and rings an extension to go on with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from engine.core.ids import CallId
from engine.core.views import CallState, Lamp, ReleasedBy
from engine.media.gateway import PortsExhaustedError
from engine.pbx.call import Begin, Call, Release, RingTimeout
from engine.pbx.errands import Errand, Summons
from engine.pbx.in_service import InService, tell_failure
from engine.pbx.leg import Leg
from engine.pbx.reach import one_flow_each
from engine.pbx.service import Pace, ServiceError, ServiceInstance, Verb
from engine.pbx.verbs.activity import Activity, Due
from engine.pbx.verbs.dialling import AUTO_ANSWER, fields_of, status_word
from engine.sip.identity import Caller
from engine.sip.session.events import Failed
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

log = logging.getLogger(__name__)

LONGEST_S = 3600.0
"""What a service without a caller may take; one that has found a party is a call and may take longer."""
VERBS_ALONE = frozenset({
    "wait", "log", "mark", "http", "get", "set", "extension", "group", "presence", "holds", "time", "forward",
    "dnd", "night", "later", "recordings", "keep", "erase",
})  # fmt: skip
"""What needs nobody at the other end; beside ``dial``, which finds somebody, and ``hangup``."""
_NO_CALLER = "there is no caller"


class Nobody:
    """Stands where the verbs look for a caller: the extension for which the service runs, if it runs for one."""

    def __init__(self, extension: Extension | None) -> None:
        self.extension = extension
        self.number = extension.number if extension is not None else ""


class NoCall:
    """Stands where the verbs look for a call."""

    def __init__(self, call_id: CallId) -> None:
        self.id = call_id


class Unattended:
    """One run of a service. The verbs take it for an ``InService``, of which it has what they need."""

    def __init__(
        self, exchange: Exchange, service: str, facts: Mapping[str, Any], own: Extension | None, call_id: CallId
    ) -> None:
        """``own``: the extension for which it runs; ``call_id`` names what it is about in the log."""
        self.exchange = exchange
        self.service = service
        self.facts = dict(facts)
        self.caller = Nobody(own)
        self.call = NoCall(call_id)
        self.begun: CallId | None = None
        """The call that it has made."""
        self._instance: ServiceInstance | None = None
        self._activity: Activity | None = None
        self._outcome: asyncio.Future[tuple[Any, str | None]] | None = None
        self._pace = Pace()
        self._alarm: asyncio.TimerHandle | None = None
        self._round = 0

    async def run(self) -> None:
        """Until it is done, breaks, takes too long, or has found a party to go on with."""
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._run()
        except TimeoutError:
            self._tell(ServiceError(f"{self.service}: was not done within {LONGEST_S:g} s"))
        except ServiceError as error:
            self._tell(error)
        finally:
            self._stop_waiting()
            activity, self._activity = self._activity, None
            if activity is not None:
                await activity.stop()
            instance, self._instance = self._instance, None
            if instance is not None:
                instance.close()

    async def _run(self) -> None:
        own = self.caller.extension
        facts = {"argument": "", "settings": {}, "own": own.number if own else None, **self.facts}
        told = {key: value for key, value in facts.items() if value is not None}
        self._instance = await self.exchange.services.open(self.service, told)
        verb = await self._instance.resume()
        while verb is not None and verb.name != "hangup":
            self._pace.check(self.service, self.now)
            await asyncio.sleep(0)
            outcome = await self._carry_out(verb)
            if self._instance is None:
                return  # whoever answered is with it now
            verb = await self._instance.resume(*outcome)

    async def _carry_out(self, verb: Verb) -> tuple[Any, str | None]:
        from engine.pbx.verbs.table import VERBS  # they lead back here

        if verb.name == "dial":
            return await self._dial(verb.arguments), None
        handle = VERBS.get(verb.name)
        if handle is None or verb.name not in VERBS_ALONE:
            return None, _NO_CALLER
        self._outcome = asyncio.get_running_loop().create_future()
        await handle(cast("InService", self), verb.arguments)
        return await self._outcome

    def _tell(self, error: ServiceError) -> None:
        tell_failure(self.exchange, self.service, self.call.id, "without a caller", error)

    # -- what the verbs use of an InService ---------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.exchange.clock.now()

    def over(self, value: Any = True, failure: str | None = None) -> None:
        """The verb is done."""
        self._activity = None
        self._stop_waiting()
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result((None if failure else value, failure))

    async def do(self, activity: Activity) -> None:
        self._activity = activity
        await activity.begin()

    def wait(self, seconds: float) -> None:
        self._stop_waiting()
        due = Due(self._round)
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._hear, due)

    def _hear(self, due: Due) -> None:
        activity = self._activity
        if activity is not None:
            self.exchange.crew.run(activity.hear(due), "a service without a caller")

    def _stop_waiting(self) -> None:
        self._round += 1
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # -- finding a party ----------------------------------------------------------------------------------------

    async def _dial(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Ring extensions; whoever answers is the service's caller from now on. Returns when nobody did."""
        exchange = self.exchange
        numbers = [asked["to"]] if isinstance(asked["to"], str) else [str(each) for each in asked["to"]]
        call = Call(exchange, exchange.new_call_id(), self.service)
        number = asked.get("caller") or self.caller.number or numbers[0]  # one without would be anonymous
        call.identity = Caller(number, asked.get("name") or self.service)
        call.service = self.service
        headers = (*(AUTO_ANSWER if asked.get("auto_answer") else ()), *fields_of(asked.get("headers")))
        phase = Dispatch(call, self, numbers[0], headers)
        for number in dict.fromkeys(numbers):
            await phase.try_number(number)
        if not call.legs:
            return phase.worst()
        self.begun = call.id
        exchange.unattended.add(call.id)
        call.start(phase)
        call.set_ring_timeout(float(asked.get("ring") or exchange.configuration.params["ring_timeout_s"]))
        exchange.endpoint.flush()
        try:
            return await phase.outcome
        except asyncio.CancelledError:
            call.post(Release(ReleasedBy.SYSTEM, "480 Service Was Ended"))
            raise

    def hand_over(self) -> ServiceInstance:
        """The running service, which goes on in a call."""
        instance, self._instance = self._instance, None
        assert instance is not None
        return instance


class Dispatch(Summons):
    """The phase in which extensions ring for a service without a caller."""

    def __init__(self, call: Call, by: Unattended, number: str, headers: tuple[tuple[str, str], ...]) -> None:
        super().__init__(call, Errand(number, by.service, 0.0, {}), headers)
        self._by = by
        self._refusals: list[tuple[int, str]] = []
        self.outcome: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def try_number(self, number: str) -> None:
        """Ring every phone of an extension; what is in the way is remembered."""
        exchange, call = self._exchange, self._call
        extension = exchange.configuration.extensions.get(number)
        if extension is None:
            self._refusals.append((404, "No Such Extension"))
            return
        busy_with = exchange.lamps.call_count(number)
        if extension.dnd or (extension.max_calls is not None and busy_with >= extension.max_calls):
            self._refusals.append((486, "Do Not Disturb" if extension.dnd else "Busy Here"))
            return
        before = len(call.legs)
        for phone in one_flow_each(exchange.endpoint, exchange.bindings.of(number)):
            try:
                await self.ring(extension, phone)
            except (PortsExhaustedError, OSError) as error:
                log.error("call %s cannot get media ports: %s", call.id, error)
                self._refusals.append((503, "No Media Ports"))
        if len(call.legs) == before:
            is_known = exchange.lamps.lamp(number) is not Lamp.UNREGISTERED
            self._refusals.append((480, "Phone Not Reachable" if is_known else "Phone Not Registered"))

    def worst(self) -> dict[str, Any]:
        """What becomes of it when nobody answers: somebody who is busy is somebody at least."""
        status, reason = min(self._refusals, key=lambda item: (item[0] not in (486, 600), item[0] != 480, item[0]))
        return {"status": status_word(status, reason), "code": status, "reason": reason}

    async def take(self, cue: Any) -> None:
        match cue:
            case Failed():
                self._refusals.append((cue.status, cue.reason or ""))
            case RingTimeout():
                self._refusals = [(480, "No Answer")]
            case Release():
                self._refusals = [(480, "Released")]
        await super().take(cue)
        if isinstance(cue, (RingTimeout, Release)) or not self._call.legs:
            self._give_up()

    def _give_up(self) -> None:
        if not self.outcome.done():
            self._refusals = self._refusals or [(480, "No Answer")]
            self.outcome.set_result(self.worst())

    async def _go_on(self, leg: Leg) -> None:
        """Whoever has answered is the service's caller."""
        call, by = self._call, self._by
        if self.outcome.done():
            call.end(ReleasedBy.SYSTEM, "480 Service Was Ended")
            return
        call.answered_at = self._exchange.clock.wall()
        call.enter(CallState.SERVICE)
        call.phase = InService(call, b"", by.service, by.facts, instance=by.hand_over())
        self.outcome.set_result({})
        call.post(Begin())
