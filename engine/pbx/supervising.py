"""Coming into a call of two others: who may, and which cue does it; for codes, services and faces alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.deeds import Deed
from engine.core.ids import CallId
from engine.core.views import CallState, PartyRole
from engine.pbx.call import Call, Joined, Replaced, Retuned, Told, TookOver
from engine.pbx.conversation import Conversation
from engine.pbx.leg import Leg
from engine.pbx.mixed import SILENT, Mixed
from engine.pbx.rights import why_not_supervise
from engine.store.configuration import Extension

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange

ROLES = {
    Deed.LISTEN: PartyRole.LISTENER,
    Deed.WHISPER: PartyRole.WHISPERER,
    Deed.BARGE_IN: PartyRole.OPERATOR,
}


class DeniedError(Exception):
    """``why`` in a service's word: ``no_right``, ``overstep``, ``unknown``, ``not_talking``, ``no_side``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Wish(NamedTuple):
    """What somebody wants with a call, and may do."""

    deed: Deed
    call: Call
    side: Leg | None
    """Who hears a whisper, or whose place is taken."""
    inside: Leg | None
    """The operator's own leg where it is in the call already."""


def wish_of(
    exchange: Exchange,
    by: Extension | None,
    deed: Deed,
    target: str,
    side: str | None = None,
    but: Call | None = None,
) -> Wish:
    """What ``by`` wants with a call named by its id, or with that of an extension; ``but`` its own.

    Raises ``DeniedError``. A missing right is told before anything of the call is.
    """
    call = _call_for(exchange, target, but)
    inside = _place_of(call, by) if call is not None and by is not None else None
    known = exchange.configuration.extensions
    others = [leg for leg in call.legs if leg is not inside] if call is not None else []
    parties = [known.get(leg.number) for leg in others if leg.extension is not None]
    if call is None and target in known:
        parties = [known[target]] if exchange.lamps.calls_of(target) else []
    protects = str(exchange.configuration.params["overstep_protects"])
    why = why_not_supervise(by, deed, parties, dialled=call.dialled if call else "", protects=protects)
    if why is None and call is None and target not in known:
        why = "unknown"
    if why is not None or call is None:
        raise DeniedError(why or "not_talking")
    if call.is_emergency or not _may_come(call, by, inside):
        raise DeniedError("not_talking")
    talkers = [leg for leg in others if leg.role not in SILENT]
    return Wish(deed, call, _side_of(deed, talkers, side, target), inside)


def cue_of(exchange: Exchange, wish: Wish, told: Told) -> Callable[[Leg, bytes], Any]:
    """The cue by which a newcomer with its leg and its offer comes in; ``told`` hears whether it did."""

    def cue(mine: Leg, offer: bytes) -> Joined | Replaced:
        if wish.deed is Deed.TAKE_OVER:
            assert wish.side is not None
            return Replaced(wish.side, mine, offer, told)
        beeps = wish.deed is Deed.BARGE_IN and exchange.configuration.params["barge_in_tone"] == 1
        return Joined(mine, offer, beeps, ROLES[wish.deed], wish.side, told)

    return cue


def change_inside(exchange: Exchange, wish: Wish, told: Told) -> None:
    """Who is in the call already does something else there."""
    assert wish.inside is not None
    if wish.deed is Deed.TAKE_OVER:
        assert wish.side is not None
        wish.call.post(TookOver(wish.inside, wish.side, told))
    else:
        beeps = wish.deed is Deed.BARGE_IN and exchange.configuration.params["barge_in_tone"] == 1
        wish.call.post(Retuned(wish.inside, ROLES[wish.deed], wish.side, beeps, told))


def conversation_of(exchange: Exchange, number: str, but: Call | None = None) -> Call | None:
    """The call in which two talk, one of them with this number."""
    for name in exchange.lamps.calls_of(number):
        call = exchange.calls.get(name)
        if call is not None and call is not but and isinstance(call.phase, Conversation):
            return call
    return None


def _call_for(exchange: Exchange, target: str, but: Call | None) -> Call | None:
    named = exchange.calls.get(CallId(target))
    if named is not None and named is not but:
        return named
    talking = conversation_of(exchange, target, but)
    if talking is not None:
        return talking
    for name in exchange.lamps.calls_of(target):
        call = exchange.calls.get(name)
        if call is not None and call is not but and isinstance(call.phase, Mixed):
            return call
    return None


def _place_of(call: Call, by: Extension) -> Leg | None:
    mine = [leg for leg in call.legs if leg.extension is not None and leg.extension.number == by.number]
    return mine[0] if mine else None


def _may_come(call: Call, by: Extension | None, inside: Leg | None) -> bool:
    """Whether two talk and ``by`` is neither of them, or comes only to something else than it does there now."""
    if isinstance(call.phase, Mixed):
        return inside is not None and inside.role in ROLES.values()
    return isinstance(call.phase, Conversation) and call.state is CallState.TALKING and inside is None


def _side_of(deed: Deed, talkers: list[Leg], side: str | None, target: str) -> Leg | None:
    """The party that is meant: by its number, else the extension that was named, else one of the office."""
    if deed not in (Deed.WHISPER, Deed.TAKE_OVER):
        return None
    if side is not None:
        found = [leg for leg in talkers if leg.number == side]
        if not found:
            raise DeniedError("no_side")
        return found[0]
    for leg in talkers:
        if leg.number == target:
            return leg
    return next((leg for leg in reversed(talkers) if leg.extension is not None), talkers[-1])
