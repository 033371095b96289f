"""What an operator does with a live call: the one implementation behind console, command line and services."""

from __future__ import annotations

import asyncio

from engine.core.audit import AuditEntry, Outcome
from engine.core.deeds import Deed
from engine.core.errors import NotAllowedError, NotFoundError, RefusedError, RemoteError
from engine.core.ids import CallId
from engine.core.views import PartyState, ReleasedBy
from engine.pbx.call import Call, Release, SendOn, Served, ToggleRecording, Told
from engine.pbx.conversation import Conversation
from engine.pbx.errands import Errand, summon
from engine.pbx.exchange import Exchange
from engine.pbx.in_service import InService
from engine.pbx.leg import Leg
from engine.pbx.mixed import SILENT, Mixed
from engine.pbx.rights import may_pick_up, may_take_over
from engine.pbx.rooms import SLOTS
from engine.pbx.routing import ToService
from engine.pbx.setup import Setup
from engine.pbx.supervising import DeniedError, change_inside, wish_of
from engine.pbx.transfer import Transfer, target_of_transfer
from engine.pbx.verbs.dialling import AUTO_ANSWER
from engine.store.configuration import Extension, Right

_ANSWER_S = 5.0
"""How long a call may take to say that it is recorded."""
_CHANGED = "look at it as it is now, and try again"


class Acting:
    """Somebody who acts: the operator's name, and the extension whose phone and rights are used."""

    __slots__ = ("extension", "reason", "who")

    def __init__(self, who: str, extension: Extension | None, reason: str | None = None) -> None:
        self.who = who
        self.extension = extension
        self.reason = reason

    @property
    def phone(self) -> Extension:
        """The extension; raises ``RefusedError`` when none was named."""
        if self.extension is None:
            raise RefusedError(
                "no phone was named to act with",
                "name one with --as EXTENSION, or give the operator one: 'frontdesk operator set'",
            )
        return self.extension


class OperatorServices:
    """Deeds of operators on live calls. Each is refused at once with ``RefusedError``, or begun.

    Where a phone must be rung first, how it ended is told to the audit log by whoever carries it out.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    # -- calls that stand ---------------------------------------------------------------------------------------

    def call_named(self, target: str) -> Call:
        """A call by its id, or the only call of an extension."""
        exchange = self._exchange
        call = exchange.calls.get(CallId(target))
        if call is not None:
            return call
        calls = exchange.lamps.calls_of(target)
        if len(calls) > 1:
            raise RefusedError(
                f"{target} has {len(calls)} calls ({', '.join(calls)})", "name one of them by its id"
            )
        if not calls:
            raise NotFoundError(f"there is no call '{target}'", "see 'frontdesk calls'")
        return exchange.calls[calls[0]]

    async def release(self, target: str, revision: int | None, acting: Extension | None = None) -> CallId:
        """End a call. ``acting`` ends its own calls, and with the right *release* those of others."""
        call = self._seen(target, revision)
        if call.is_emergency:
            raise RefusedError(f"call {call.id} is an emergency call", "only those who talk may end it")
        if acting is not None and not _takes_part(call, acting):
            _demand(acting, Right.RELEASE, "release calls of others")
        call.post(Release(ReleasedBy.OPERATOR, "released by an operator"))
        return call.id

    async def transfer(self, target: str, number: str, acting: Extension | None, revision: int | None) -> CallId:
        """Connect a party of a call with a number, or send a ringing call on to it, by the rights of ``acting``."""
        call = self._seen(target, revision)
        transfer(call, number, acting)
        self._exchange.endpoint.flush()
        return call.id

    async def park(self, target: str, slot: str | None, acting: Extension | None, revision: int | None) -> str:
        """Park the other party of ``acting``, or of who was called; gives the slot."""
        call = self._seen(target, revision)
        by = _transferring(call, acting)
        if not _is_of_two(call):
            raise RefusedError(f"call {call.id} cannot be parked now", "wait until two parties talk")
        rooms = self._exchange.rooms
        slot = slot or rooms.free_slot()
        if slot is None:
            raise RefusedError("every slot is taken", "retrieve a call first")
        if slot not in SLOTS:
            raise RefusedError(f"there is no slot '{slot}'", f"use 1 to {SLOTS[-1]}")
        if slot in rooms.parked:
            raise RefusedError(f"slot {slot} is taken", "name another, or none for the first that is free")
        parker = acting.number if acting is not None else by.number
        call.post(Served(by, ToService("park", slot, (("parker", parker),))))
        return slot

    async def record(self, target: str, acting: Acting, revision: int | None) -> str | None:
        """Begin to record a call of two or more, or end it; gives the file, ``None`` when it has ended."""
        call = self._seen(target, revision)
        if acting.extension is not None:
            _demand(acting.extension, Right.RECORD, "record calls")
        if not isinstance(call.phase, (Conversation, Mixed)):
            raise RefusedError(f"call {call.id} cannot be recorded now", "wait until two parties talk")
        file: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        call.post(ToggleRecording(acting.who, file))
        try:
            return await asyncio.wait_for(file, _ANSWER_S)
        except TimeoutError:
            raise RefusedError(f"call {call.id} has ended meanwhile", "see 'frontdesk calls'") from None

    # -- deeds for which a phone is rung ------------------------------------------------------------------------

    async def supervise(
        self, deed: Deed, target: str, side: str | None, acting: Acting, revision: int | None
    ) -> CallId:
        """Come into a call of two; who is in already changes what it does there."""
        phone = acting.phone
        try:
            wish = wish_of(self._exchange, phone, deed, target, side)
        except DeniedError as error:
            raise _in_words(error.why, phone.number, deed, target, side) from None
        _demand_unchanged(wish.call, revision)
        if wish.inside is not None:
            change_inside(self._exchange, wish, self._audited(acting, deed.value, target))
            return wish.call.id
        settings = {"deed": deed.value, "call": wish.call.id}
        if wish.side is not None:
            settings["side"] = wish.side.number
        await self._ring("supervise", settings, acting, deed.value, target)
        return wish.call.id

    async def override(self, target: str, acting: Acting) -> None:
        """Call an extension through do not disturb and forwarding, or outside over a line's limit."""
        _demand(acting.phone, Right.OVERRIDE, "override")
        exchange = self._exchange
        is_extension = target in exchange.configuration.extensions
        if target == acting.phone.number:
            raise RefusedError(f"{target} cannot override itself", "name another phone with --as")
        if not is_extension and exchange.configuration.params["override_trunk_limit"] != 1:
            raise RefusedError(
                f"there is no extension {target}",
                "outside numbers are overridden after 'frontdesk param set override_trunk_limit 1'",
            )
        if is_extension and not exchange.bindings.of(target):
            raise RefusedError(f"extension {target} has no registered phone", "register one, or name another")
        await self._ring("override", {}, acting, "override", target)

    async def pull(self, target: str, acting: Acting, revision: int | None) -> CallId:
        """Take a caller out of a menu, a queue or a slot."""
        _demand(acting.phone, Right.PULL, "pull callers out of services")
        call = self._exchange.rooms.parked.get(target) or self.call_named(target)
        _demand_unchanged(call, revision)
        if not isinstance(call.phase, InService) or not call.phase.is_answered or call.is_emergency:
            raise RefusedError(f"call {call.id} waits in no menu, queue or slot", "see 'frontdesk calls'")
        await self._ring("pull", {"argument": call.id}, acting, "pull", target)
        return call.id

    async def pick_up(self, target: str, acting: Acting, revision: int | None) -> CallId:
        """Answer what rings at an extension with the phone of ``acting``."""
        call, phone = self.call_named(target), acting.phone
        _demand_unchanged(call, revision)
        rings = [leg for leg in call.legs[1:] if leg.state in (PartyState.RINGING, PartyState.EARLY)]
        rung = [leg for leg in rings if leg.extension is not None and target in (leg.number, call.id)]
        if not isinstance(call.phase, Setup) or not rung:
            raise RefusedError(f"nothing rings at {target}", "see 'frontdesk calls'")
        extension = next(
            (
                leg.extension
                for leg in rung
                if leg.extension is not None and may_pick_up(self._exchange.configuration, phone, leg.extension)
            ),
            None,
        )
        if extension is None:
            raise _no_right(phone.number, "pick up calls of others", Right.PICKUP)
        await self._ring("pickup", {"argument": extension.number}, acting, "pickup", target)
        return call.id

    async def _ring(self, service: str, settings: dict[str, str], acting: Acting, action: str, target: str) -> None:
        """Ring the operator's phone, which is in the service when it answers: by itself where it can."""
        phone = acting.phone.number
        if not self._exchange.bindings.of(phone):
            raise RefusedError(f"extension {phone} has no registered phone", "register one, or name another")
        settings["target"] = target
        if acting.reason is not None:
            settings["reason"] = acting.reason
        told = self._audited(acting, action, target)
        await summon(self._exchange, Errand(phone, service, 0.0, settings, acting.who), AUTO_ANSWER, told)

    def _audited(self, acting: Acting, action: str, target: str) -> Told:
        """Keeps how a deed ended."""
        exchange = self._exchange

        def told(failure: str | None) -> None:
            outcome = Outcome.DONE if failure is None else Outcome.FAILED
            exchange.audit(
                AuditEntry(
                    exchange.clock.wall(),
                    acting.who,
                    acting.phone.number,
                    action,
                    target,
                    outcome,
                    failure or acting.reason,
                )
            )

        return told

    def _seen(self, target: str, revision: int | None) -> Call:
        call = self.call_named(target)
        _demand_unchanged(call, revision)
        return call


def _demand_unchanged(call: Call, revision: int | None) -> None:
    """Raise ``RefusedError`` when the call is no longer what the asker saw; ``None`` takes it as it is."""
    if revision is not None and call.revision != revision:
        raise RefusedError(f"call {call.id} has changed meanwhile", _CHANGED)


def _is_of_two(call: Call) -> bool:
    """Whether two talk; who listens does not count."""
    return isinstance(call.phase, Conversation) or (isinstance(call.phase, Mixed) and call.phase.is_of_two)


def _takes_part(call: Call, extension: Extension) -> bool:
    return any(leg.extension is not None and leg.extension.number == extension.number for leg in call.legs)


def _demand(extension: Extension, right: Right, deed: str) -> None:
    if right not in extension.rights:
        raise _no_right(extension.number, deed, right)


def _no_right(number: str, deed: str, right: Right) -> NotAllowedError:
    return NotAllowedError(
        f"{number} may not {deed}", f"see 'frontdesk extension set {number} --right {right.value}'"
    )


_DEEDS = {
    Deed.LISTEN: "listen to calls of others",
    Deed.WHISPER: "whisper into calls of others",
    Deed.BARGE_IN: "break into calls of others",
    Deed.TAKE_OVER: "take over calls of others",
}


def _in_words(why: str, phone: str, deed: Deed, target: str, side: str | None) -> RefusedError:
    """What a person reads of a refusal that services know by a word."""
    match why:
        case "no_right":
            return _no_right(phone, _DEEDS[deed], Right(deed.value))
        case "overstep":
            return NotAllowedError(
                f"{target} talks with somebody whom an overstep right protects", "call it instead"
            )
        case "no_side":
            return RefusedError(f"{side} is no party of that call", "name one of the two that talk with --side")
        case "unknown":
            return NotFoundError(f"there is no call or extension '{target}'", "see 'frontdesk calls'")
    return RefusedError(
        f"{target} is in no answered call of two",
        "wait until it is; 'frontdesk call override' reaches an extension",
    )


def transfer(call: Call, number: str, acting: Extension | None) -> None:
    """Connect a party of a call with ``number``, or send a call that rings on to it.

    ``acting`` transfers as its own phone would; who is no party needs the right *take-over*. Without it the party
    that was called transfers, else the one that called, by its rights. A transfer that fails gives the party back.
    Raises ``RefusedError``.
    """
    by = _transferring(call, acting)
    rights_of = acting or by.extension
    if rights_of is None:
        raise RefusedError(f"call {call.id} has no extension that could transfer it", "name one with --as")
    phase = call.phase
    is_set_up = isinstance(phase, Setup) and not isinstance(phase, Transfer)
    if not is_set_up and not _is_of_two(call):
        raise RefusedError(
            f"call {call.id} cannot be transferred now", "wait until two parties talk, or until it rings"
        )
    if not is_set_up and any(leg.talks.is_open for leg in call.legs):
        raise RefusedError(f"call {call.id} is changing its media right now", "try again in a moment")
    try:
        route = target_of_transfer(call, rights_of, number)
    except RemoteError as error:
        raise RefusedError(
            f"{number} cannot be reached from {rights_of.number}: {error.status} {error.reason}",
            f"see 'frontdesk route test --from {rights_of.number} --to {number}'",
        ) from None
    call.post(SendOn(by, route, number))


def _transferring(call: Call, acting: Extension | None) -> Leg:
    """Who gives the other party away; raises ``RefusedError``."""
    legs = [leg for leg in call.legs if leg.role not in SILENT]
    if acting is not None:
        mine = [leg for leg in legs if leg.extension is not None and leg.extension.number == acting.number]
        if mine:
            return mine[0]
        if call.is_emergency or not may_take_over(acting, [leg.extension for leg in legs]):
            raise RefusedError(
                f"{acting.number} may not transfer calls of others",
                f"see 'frontdesk extension set {acting.number} --right take-over'; an overstep right protects, too",
            )
    if call.is_emergency:
        raise RefusedError(f"call {call.id} is an emergency call", "only those who talk may transfer it")
    return next((leg for leg in reversed(legs) if leg.extension is not None), legs[-1])
