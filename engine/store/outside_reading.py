"""Turns rows of the outside lines' tables into values; each raises ``ValueError`` for words we do not know."""

from __future__ import annotations

from engine.core.peering import ReliableProvisional
from engine.store.outside import (
    AddressRow,
    Identity,
    InboundRule,
    Level,
    Preset,
    RouteRule,
    Schedule,
    ScreenRow,
    Srtp,
    Trunk,
    TrunkTransport,
)
from engine.store.row import Row, words


def read_trunk(row: Row) -> Trunk:
    return Trunk(
        name=row["name"],
        host=row["host"],
        port=row["port"],
        transport=TrunkTransport(row["transport"]),
        registers=bool(row["registers"]),
        username=row["username"],
        password=row["password"],
        proxy=row["proxy"],
        addresses=words(row["addresses"]),
        max_in=row["max_in"],
        max_out=row["max_out"],
        reserve_emergency=int(row["reserve_emergency"]),
        reliable_provisional=ReliableProvisional(row["reliable_provisional"]),
        new_call_id=None if row["new_call_id"] is None else bool(row["new_call_id"]),
        identity=Identity(row["identity"]),
        preset=Preset(row["preset"]),
        srtp=Srtp(row["srtp"]),
        over_limit=int(row["over_limit"]),
        codecs=words(row["codecs"]),
        is_trusted=bool(row["is_trusted"]),
    )


def read_route(row: Row) -> RouteRule:
    return RouteRule(
        id=int(row["id"]),
        called=row["called"],
        caller=row["caller"],
        plan=row["plan"],
        strip=int(row["strip"]),
        prepend=row["prepend"],
        caller_as=row["caller_as"],
        level=row["level"],
        when=row["when"],
        is_emergency=bool(row["is_emergency"]),
        trunks=words(row["trunks"]),
        extension=row["extension"],
        group=row["group"],
        service=row["service"],
    )


def read_inbound(row: Row) -> InboundRule:
    return InboundRule(
        id=int(row["id"]),
        trunk=row["trunk"],
        called=row["called"],
        extension=row["extension"],
        group=row["group"],
        service=row["service"],
        when=row["when"],
    )


def read_level(row: Row) -> Level:
    return Level(row["name"], int(row["rank"]))


def read_schedule(row: Row) -> Schedule:
    return Schedule(row["name"], row["when"], words(row["holidays"]))


def read_screen(row: Row) -> ScreenRow:
    return ScreenRow(int(row["id"]), row["caller"], row["called"], int(row["rate"]), bool(row["is_white"]))


def read_address(row: Row) -> AddressRow:
    return AddressRow(row["network"], bool(row["is_white"]))
