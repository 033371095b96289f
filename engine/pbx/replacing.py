"""INVITE with Replaces (RFC 3891): who calls takes the place of a party, or answers a phone that rings."""

from __future__ import annotations

import logging

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.core.views import CallState, PartyRole, PartyState
from engine.pbx.bridge import Bridge
from engine.pbx.call import Call, Joined, Replaced
from engine.pbx.conversation import Conversation
from engine.pbx.converting import convertible, in_common
from engine.pbx.converting import usable as usable_codecs
from engine.pbx.exchange import Exchange
from engine.pbx.leg import Leg
from engine.pbx.rights import may_pick_up, may_take_over
from engine.sip.headers import Headers
from engine.sip.offer_answer import Warn
from engine.sip.session import Session
from engine.sip.session.core import SessionState
from engine.sip.session.replaces import Replaces, read_replaces
from engine.store.configuration import Extension
from engine.store.outside import Trunk

log = logging.getLogger(__name__)


def replaced_by(exchange: Exchange, headers: Headers, peer: Extension | Trunk) -> tuple[Call, Leg] | None:
    """The call and the place in it that an INVITE of ``peer`` wants; ``None`` when it carries no Replaces.

    Raises ``RemoteError``: 400 for what cannot be read, 481 where nothing is named by it, 486 for a dialog that was
    to be early only, 403 for a place that is not the caller's to take.
    """
    values = headers.all("Replaces")
    if not values:
        return None
    named = read_replaces(values[0]) if len(values) == 1 else None
    if named is None:
        raise RemoteError(400, "Unreadable Replaces")
    session = session_named(exchange, named)
    leg = session.user if session is not None else None
    call = exchange.calls.get(leg.call_id) if isinstance(leg, Leg) else None
    if session is None or not isinstance(leg, Leg) or call is None:
        raise RemoteError(481, "No Such Dialog")
    if session.state is SessionState.PROCEEDING:
        _demand_pick_up(exchange, call, leg, peer)
    elif session.state not in (SessionState.ANSWERED, SessionState.CONFIRMED):
        raise RemoteError(481, "Dialog Is Not Ours To Give")  # the caller's own, before its answer (section 3)
    elif named.is_early_only:
        raise RemoteError(486, "Answered Meanwhile")
    else:
        _demand_take_over(call, leg, peer)
    return call, leg


def session_named(exchange: Exchange, named: Replaces) -> Session | None:
    """The session whose dialog a Replaces value names, early dialogs of phones that ring included."""
    session = exchange.agent.sessions.get((named.call_id, named.to_tag))
    return session if session is not None and session.has_dialog_with(named.from_tag) else None


def _demand_pick_up(exchange: Exchange, call: Call, leg: Leg, peer: Extension | Trunk) -> None:
    rung = leg.extension
    if not isinstance(peer, Extension) or rung is None or not may_pick_up(exchange.configuration, peer, rung):
        raise RemoteError(403, "No Right To Pick Up")
    if call.caller.extension is not None and call.caller.extension.number == peer.number:
        raise RemoteError(403, "Own Call")


def _demand_take_over(call: Call, leg: Leg, peer: Extension | Trunk) -> None:
    if isinstance(peer, Trunk):
        is_allowed = leg.trunk is not None and leg.trunk.name == peer.name
    else:
        own = leg.extension is not None and leg.extension.number == peer.number
        is_allowed = own or (not call.is_emergency and may_take_over(peer, [one.extension for one in call.legs]))
    if not is_allowed:
        raise RemoteError(403, "No Right To Take Over")


async def take_place(call: Call, bridge: Bridge, cue: Replaced) -> None:
    """The newcomer talks with the other party from now on, and the one in its place is hung up on.

    What the newcomer offers and cannot be used is answered with its failure; the conversation goes on as it was.
    """
    place, newcomer = cue.place, cue.newcomer
    exchange, now = call.exchange, call.exchange.clock.now()
    other = bridge.opposite(place)
    try:
        spoken = other.talks.settled.codecs if other.talks.settled is not None else ()
        usable = tuple(dict.fromkeys((*spoken, *exchange.codecs_of(other.peer))))
        body, _ = await settle_newcomer(newcomer, cue.offer, exchange, usable)
    except RemoteError as error:
        await refuse_newcomer(call, cue, error)
        return
    if newcomer.dialogue.is_waiting:
        newcomer.dialogue.answer(now, body)
    place.dialogue.end(now)
    if newcomer.trunk is not None:
        newcomer.claim, place.claim = place.claim, None
    is_caller = call.legs[0] is place
    newcomer.role = PartyRole.CALLER if is_caller else PartyRole.CALLEE
    call.legs.remove(newcomer)
    call.legs.insert(0 if is_caller else 1, newcomer)
    await call.part(place)
    for leg in (newcomer, other):
        await exchange.gateway.stop_playing(leg.media)
    anew = Bridge(exchange.gateway, newcomer, other, exchange.hold_music)
    await anew.connect()
    state = PartyState.HELD if other.holds else PartyState.TALKING
    newcomer.state = other.state = state
    conversation = Conversation(call, anew)
    call.phase = conversation
    conversation.bring_together()
    log.info("call %s: %s takes the place of %s", call.id, shown(newcomer.number), shown(place.number))
    call.enter(CallState.HELD if state is PartyState.HELD else CallState.TALKING)
    cue.told(None)


async def settle_newcomer(
    newcomer: Leg, offer: bytes, exchange: Exchange, usable: tuple[str, ...]
) -> tuple[bytes, tuple[str, ...]]:
    """Our SDP for the newcomer's 200 (none when it has its answer), and its codecs of those that are ``usable``.

    Raises ``RemoteError`` when there are none, or no media can be had.
    """
    if newcomer.negotiation is not None and newcomer.talks.settled is not None:
        return b"", newcomer.talks.settled.codecs
    own = exchange.codecs_of(newcomer.peer)
    allowed = usable_codecs(exchange, own, usable)
    if not newcomer.has_media:
        try:
            await newcomer.open_media(exchange)
        except Exception as error:
            log.error("call %s cannot get media ports: %s", newcomer.call_id, error)
            raise RemoteError(503, "No Media Ports") from None
    if not offer:
        return newcomer.talks.make_offer(allowed), allowed
    offered = newcomer.talks.take_offer(offer).codecs
    common = in_common(allowed, offered) or convertible(exchange, in_common(own, offered), usable)
    if not common:
        newcomer.talks.roll_back()
        raise RemoteError(488, f"No Common Codec In {' '.join(offered) or 'Offer'}", Warn.MEDIA_FORMAT)
    body, settled = newcomer.talks.make_answer(common)
    await newcomer.apply(settled)
    return body, settled.codecs


async def refuse_newcomer(call: Call, cue: Replaced | Joined, error: RemoteError) -> None:
    """The newcomer hears why; the call is as it was."""
    now, newcomer = call.exchange.clock.now(), cue.newcomer
    cue.told(f"{error.status} {error.reason}")
    if newcomer.dialogue.is_waiting:
        newcomer.dialogue.reject(now, error.status, error.reason, warning=error.warning)
    else:
        newcomer.dialogue.end(now)
    await call.part(newcomer)
