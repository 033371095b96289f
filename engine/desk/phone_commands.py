"""Commands that the operator's own phone carries out."""

from __future__ import annotations

from engine.core.errors import NotAllowedError, RefusedError
from engine.core.ids import CallId
from engine.desk.counter import Counter
from engine.desk.phone import (
    CompleteConsult,
    Consult,
    DialNumber,
    GoBackToCaller,
    HandOn,
    HoldCall,
    ParkCaller,
    RecallCaller,
    TakeCall,
)
from engine.pbx.operator_phone import OperatorPhone
from engine.pbx.rights import has_role
from engine.store.configuration import Role


async def take_call(counter: Counter, command: TakeCall) -> bool:
    return await _phone(counter).take(command.target, own_number(counter, command.acting))


async def hold_call(counter: Counter, command: HoldCall) -> bool:
    own = own_number(counter, command.acting)
    return await _phone(counter).hold(command.target, own, is_on=command.is_on)


async def hand_on(counter: Counter, command: HandOn) -> CallId:
    return await _phone(counter).hand_on(command.target, command.number, own_number(counter, command.acting))


async def park_caller(counter: Counter, command: ParkCaller) -> str:
    phone, own = _phone(counter), own_number(counter, command.acting)
    party = phone.party_of(command.target, own)
    acting = counter.configuration.extensions.get(own)
    slot = await counter.running_office().operator.park(command.target, command.slot, acting, None)
    phone.remember(own, party)
    return slot


async def consult(counter: Counter, command: Consult) -> CallId:
    return await _phone(counter).consult(command.target, command.number, own_number(counter, command.acting))


async def complete_consult(counter: Counter, command: CompleteConsult) -> CallId:
    return await _phone(counter).complete(command.target, own_number(counter, command.acting))


async def go_back(counter: Counter, command: GoBackToCaller) -> CallId:
    return await _phone(counter).go_back(command.target, own_number(counter, command.acting))


async def recall_caller(counter: Counter, command: RecallCaller) -> CallId:
    return await _phone(counter).recall(own_number(counter, command.acting))


async def dial_number(counter: Counter, command: DialNumber) -> None:
    await _phone(counter).dial(command.number, own_number(counter, command.acting))


def own_number(counter: Counter, acting: str | None) -> str:
    """The extension that acts; raises ``RefusedError`` for a login that has none."""
    asker = counter.asker
    if acting is not None and acting != asker.extension and not has_role(asker, Role.ADMIN):
        raise NotAllowedError(
            f"{asker.name} ({asker.role}) may not act with the phone of {acting}",
            f"ask an operator with the role {Role.ADMIN} or above",
        )
    number = acting or asker.extension
    if number is None:
        raise RefusedError(
            f"the login {asker.name} has no phone of its own",
            f"give it one: frontdesk operator set {asker.name} --extension NUMBER",
        )
    return number


def _phone(counter: Counter) -> OperatorPhone:
    return counter.running_office().operator_phone
