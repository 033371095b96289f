"""Which verb of a service does what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from engine.pbx.in_service import InService
from engine.pbx.verbs import (
    answering,
    asking,
    connecting,
    dialling,
    hearing,
    keeping,
    knowing,
    meeting,
    operating,
    taking,
)

VERBS: dict[str, Callable[[InService, Mapping[str, Any]], Awaitable[None]]] = {
    "answer": answering.answer,
    "ringing": answering.ringing,
    "wait": answering.wait,
    "hangup": answering.hangup,
    "busy": answering.busy,
    "refuse": answering.refuse,
    "redirect": answering.redirect,
    "log": answering.log_text,
    "play": hearing.play,
    "stop": hearing.stop,
    "say": hearing.say,
    "collect": hearing.collect,
    "send": hearing.send,
    "echo": hearing.echo,
    "dial": dialling.dial,
    "transfer": connecting.transfer,
    "hold": connecting.hold,
    "bridge": connecting.bridge,
    "http": asking.http,
    "get": knowing.get,
    "set": knowing.put,
    "extension": knowing.extension,
    "group": knowing.group,
    "presence": knowing.presence,
    "holds": knowing.holds,
    "time": knowing.time_of_day,
    "forward": knowing.forward,
    "dnd": knowing.dnd,
    "night": knowing.night,
    "last_dialled": knowing.last_dialled,
    "last_caller": knowing.last_caller,
    "later": knowing.later,
    "pickup": taking.pickup,
    "park": taking.park,
    "retrieve": taking.retrieve,
    "queue": taking.queue,
    "serve": taking.serve,
    "conference": meeting.conference,
    "page": meeting.page,
    "join": meeting.join,
    "barge_in": operating.barge_in,
    "supervise": operating.supervise,
    "pull": operating.pull,
    "override": operating.override,
    "record": keeping.record,
    "recordings": keeping.recordings,
    "keep": keeping.keep,
    "erase": keeping.erase,
    "pin": keeping.pin,
    "mark": keeping.mark,
}
"""What the service's host calls them. Each ends with ``over``, or gives the call something to do."""
