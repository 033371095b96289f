"""The decision where a call goes: pure functions over the configuration."""

from engine.pbx.routing.incoming import route_inbound
from engine.pbx.routing.numbers import Numbering
from engine.pbx.routing.outgoing import route_call
from engine.pbx.routing.route import Decision, Refused, Route, Step, ToExtension, ToService, ToTrunks
from engine.pbx.routing.table import table_of

__all__ = [
    "Decision",
    "Numbering",
    "Refused",
    "Route",
    "Step",
    "ToExtension",
    "ToService",
    "ToTrunks",
    "route_call",
    "route_inbound",
    "table_of",
]
