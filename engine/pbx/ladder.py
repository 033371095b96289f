"""The ladder: what the trace keeps of a call, told as a call's messages and media."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.core.errors import RefusedError
from engine.core.ladder import Ladder, LadderLeg, LadderMessage, MediaView, StreamView
from engine.core.text import shown
from engine.core.views import CallView, PartyState
from engine.media.gateway import LegStatistics, StreamStatistics
from engine.net.endpoint import Crossing
from engine.pbx.trace import TracedCall, TracedLeg
from engine.sip.blacken import blacken

if TYPE_CHECKING:
    from engine.pbx.call import Call
    from engine.pbx.exchange import Exchange

MOST_BYTES = 2**18
"""A page ends with the message that reaches it: to tell 200 messages of 64 KB would keep calls waiting."""


async def look_up(exchange: Exchange, traced: TracedCall, first: int, limit: int, *, with_secrets: bool) -> Ladder:
    """The call with the page of its messages that begins with number ``first``; asks the gateway for live legs.

    Raises ``RefusedError`` while the call is between its life and its record.
    """
    live = exchange.calls.get(traced.id) if traced.record is None else None
    if live is None and traced.record is None:
        raise RefusedError(f"call {traced.id} is just ending", "ask again")
    legs = await _legs(traced, live) if live is not None else tuple(_left(leg) for leg in traced.legs)
    crossings = exchange.trace.crossings(traced)
    skew = _skew(exchange, traced)
    begin = max(0, first - traced.left_out)
    seen: set[tuple[int, bool, bytes]] = set()
    messages: list[LadderMessage] = []
    room = MOST_BYTES
    for place, (leg, crossing) in enumerate(crossings[: begin + max(0, limit)]):
        mark = (leg, crossing[1], crossing[3])
        if place >= begin:
            at = datetime.fromtimestamp(crossing[0] + skew, UTC)
            messages.append(_message(traced.left_out + place, leg, crossing, at, mark in seen, with_secrets))
            room -= len(crossing[3])
            if room <= 0:
                break
        seen.add(mark)
    return _ladder(
        traced,
        live.view() if live is not None and live.legs else None,
        legs,
        tuple(messages),
        traced.left_out + len(crossings),
    )


def _skew(exchange: Exchange, traced: TracedCall) -> float:
    if traced.skew is None:
        traced.skew = exchange.clock.wall().timestamp() - exchange.clock.now()
    return traced.skew


async def _legs(traced: TracedCall, live: Call) -> tuple[LadderLeg, ...]:
    """Legs that take part with their figures of this moment, the others with their last."""
    taking_part = {id(leg.traced): leg for leg in live.legs}
    views = []
    for known in [*traced.legs]:
        leg = taking_part.get(id(known))
        if leg is None or not leg.has_media:
            views.append(_left(known) if leg is None else _leg_view(known, leg.state, leg.codec, None))
            continue
        statistics = await leg.gateway.query(leg.media)
        views.append(_leg_view(known, leg.state, leg.codec, statistics))
    return tuple(views)


def _message(
    number: int, leg: int, crossing: Crossing, at: datetime, is_resent: bool, with_secrets: bool
) -> LadderMessage:
    _, is_sent, flow, data = crossing
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    title, method = _title(lines)
    names = {line.partition(b":")[0].strip().lower() for line in lines[1:]}
    return LadderMessage(
        number=number,
        at=at,
        leg=leg,
        is_sent=is_sent,
        transport=flow.transport,
        local=(flow.local_host, flow.local_port),
        remote=(flow.remote_host, flow.remote_port),
        data=data if with_secrets else blacken(data),
        title=title,
        method=method,
        has_sdp=body.startswith(b"v=0") or b"\nv=0" in body,
        has_credentials=not names.isdisjoint((b"authorization", b"proxy-authorization")),
        is_resent=is_resent,
    )


def _title(lines: list[bytes]) -> tuple[str, str]:
    """``INVITE`` and ``INVITE``, or ``200 OK`` and the method it answers."""
    start = lines[0].decode("utf-8", "surrogateescape")
    if not start.startswith("SIP/"):
        method = shown(start.partition(" ")[0], 20)
        return method, method
    title = shown(start.partition(" ")[2], 60)
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"cseq":
            return title, shown(value.decode("utf-8", "surrogateescape").split()[-1] if value.split() else "", 20)
    return title, ""


def _ladder(
    traced: TracedCall, view: CallView | None, legs: tuple[LadderLeg, ...], messages: tuple[LadderMessage, ...],
    total: int,
) -> Ladder:  # fmt: skip
    """A call as faces see it: a live one by its view, an ended one by its record."""
    record = traced.record
    about = record or view
    if about is None:  # it ended while the gateway was asked
        raise RefusedError(f"call {traced.id} is just ending", "ask again")
    return Ladder(
        call=traced.id,
        caller=about.caller,
        callee=about.callee,
        started_at=about.started_at,
        answered_at=about.answered_at,
        ended_at=record.ended_at if record else None,
        state=view.state if view and not record else None,
        released_by=record.released_by if record else None,
        cause=record.cause if record else None,
        revision=view.revision if view and not record else 0,
        legs=legs,
        messages=messages,
        total=total,
        left_out=traced.left_out,
    )


def _left(leg: TracedLeg) -> LadderLeg:
    """A leg that has left the call."""
    return _leg_view(leg, PartyState.ENDED, leg.codec, leg.statistics)


def _leg_view(leg: TracedLeg, state: PartyState, codec: str | None, statistics: LegStatistics | None) -> LadderLeg:
    flow = leg.flow
    return LadderLeg(
        number=leg.number,
        name=leg.name,
        role=leg.role,
        state=state,
        transport=flow.transport,
        remote=(flow.remote_host, flow.remote_port),
        codec=codec,
        media=_media(statistics) if statistics is not None else None,
    )


def _media(statistics: LegStatistics) -> MediaView:
    return MediaView(
        received=_stream(statistics.received),
        sent=_stream(statistics.sent),
        remote=statistics.latched,
        round_trip_ms=statistics.round_trip_ms,
        strangers=statistics.strangers,
    )


def _stream(stream: StreamStatistics) -> StreamView:
    return StreamView(stream.packets, stream.lost, stream.loss_percent, stream.jitter_ms, stream.mos)
