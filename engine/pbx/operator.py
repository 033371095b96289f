"""What an operator does with a live call: the one implementation behind console, command line and services."""

from __future__ import annotations

from engine.core.errors import RefusedError, RemoteError
from engine.pbx.call import Call, SendOn
from engine.pbx.conversation import Conversation
from engine.pbx.leg import Leg
from engine.pbx.rights import may_take_over
from engine.pbx.setup import Setup
from engine.pbx.transfer import Transfer, target_of_transfer
from engine.store.configuration import Extension


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
    if isinstance(phase, Transfer) or not isinstance(phase, (Conversation, Setup)):
        raise RefusedError(
            f"call {call.id} cannot be transferred now", "wait until two parties talk, or until it rings"
        )
    if isinstance(phase, Conversation) and any(leg.talks.is_open for leg in call.legs):
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
    if acting is not None:
        mine = [leg for leg in call.legs if leg.extension is not None and leg.extension.number == acting.number]
        if mine:
            return mine[0]
        if call.is_emergency or not may_take_over(acting, [leg.extension for leg in call.legs]):
            raise RefusedError(
                f"{acting.number} may not transfer calls of others",
                f"see 'frontdesk extension set {acting.number} --right take-over'; an overstep right protects, too",
            )
    if call.is_emergency:
        raise RefusedError(f"call {call.id} is an emergency call", "only those who talk may transfer it")
    return next((leg for leg in reversed(call.legs) if leg.extension is not None), call.legs[-1])
