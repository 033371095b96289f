"""Attended transfer: a phone with two calls asks by REFER with Replaces that the two others talk (RFC 5589)."""

from __future__ import annotations

import logging

from engine.core.views import CallState, PartyRole, PartyState, ReleasedBy
from engine.pbx.bridge import Bridge
from engine.pbx.call import NORMAL, Call, Release
from engine.pbx.conversation import Conversation
from engine.pbx.leg import Leg
from engine.pbx.replacing import session_named
from engine.pbx.setup import Setup
from engine.sip.session.replaces import read_replaces
from engine.sip.uri import NameAddress, SipUri

log = logging.getLogger(__name__)


def replaced_in(target: NameAddress) -> str | None:
    """The Replaces value that a Refer-To carries, whatever it says; ``None`` when it carries none."""
    uri = target.uri
    if not isinstance(uri, SipUri):
        return None
    return next((value for name, value in uri.headers if name.lower() == "replaces"), None)


def other_call_of(call: Call, by: Leg, value: str) -> tuple[Call, Leg | None] | None:
    """The call that a Replaces value names and its other party; only a call of the extension of ``by``.

    No party is there yet (``None``) while the call that ``by``'s phone makes rings.
    """
    named = read_replaces(value)
    session = session_named(call.exchange, named) if named is not None else None
    leg = session.user if session is not None else None
    if not isinstance(leg, Leg) or leg.extension is None or by.extension is None:
        return None
    other = call.exchange.calls.get(leg.call_id)
    if other is None or other is call or leg.extension.number != by.extension.number:
        return None
    phase = other.phase
    if isinstance(phase, Conversation):
        return other, phase.opposite(leg)
    return (other, None) if isinstance(phase, Setup) and leg is other.caller and leg.dialogue.is_waiting else None


async def join(call: Call, by: Leg, party: Leg, other: Call, far: Leg) -> None:
    """``far`` leaves its call and takes the place of ``by``; both calls of ``by``'s phone are over."""
    exchange, now = call.exchange, call.exchange.clock.now()
    other.linked_id = call.id
    other.hand_over(far, call)
    other.post(Release(ReleasedBy.SYSTEM, NORMAL))
    by.dialogue.notify_referral(now, 200, "OK")
    by.dialogue.end(now)
    await call.part(by)
    if call.legs[0] is far:
        call.legs.reverse()
    party.role, far.role = PartyRole.CALLER, PartyRole.CALLEE
    call.dialled = far.number
    call.trunk_out = call.trunk_out or other.trunk_out or other.trunk_in
    for leg in (party, far):
        await exchange.gateway.stop_playing(leg.media)
    bridge = Bridge(exchange.gateway, party, far, exchange.hold_music)
    await bridge.connect()
    state = PartyState.HELD if party.holds or far.holds else PartyState.TALKING
    party.state = far.state = state
    conversation = Conversation(call, bridge)
    call.phase = conversation
    conversation.bring_together()
    log.info("call %s: %s joined %s and %s", call.id, by.number, party.number, far.number)
    call.enter(CallState.HELD if state is PartyState.HELD else CallState.TALKING)
