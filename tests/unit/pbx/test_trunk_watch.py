"""An outside line without registration: whether the other side is there."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core.views import TrunkState
from engine.net.resolve import Server
from engine.pbx.trunks.watch import LOOK_S
from tests.unit.pbx.carrier import MemoryRegistrar
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.test_trunk_registration import FIRST, MEND, SECOND, has_trunk, line, loses_trunk, states, view


def has_link(office: MemoryOffice, **fields: Any) -> None:
    has_trunk(office, **{"registers": False, **fields})


def test_a_link_is_static_at_once_and_asked_later(office: MemoryOffice) -> None:
    peer = MemoryRegistrar(office)
    has_link(office)
    assert view(office).state is TrunkState.STATIC
    assert line(office).reachable_servers() == (Server(FIRST, 5060, "UDP"),)
    assert not peer.options
    office.advance(LOOK_S + 1)
    assert len(peer.options) == 1
    assert peer.options[0].uri == f"sip:{FIRST}"
    office.advance(LOOK_S)
    assert len(peer.options) == 2
    assert not states(office)
    assert not peer.registers
    loses_trunk(office)
    office.advance(300)
    assert len(peer.options) == 2


def test_a_link_that_falls_silent_is_unreachable_until_it_answers(office: MemoryOffice) -> None:
    peer = MemoryRegistrar(office)
    has_link(office)
    peer.stop()
    office.advance(LOOK_S + 7)
    assert view(office).state is TrunkState.UNREACHABLE
    assert view(office).last_error == f"{FIRST}:5060 does not answer: {MEND}"
    assert line(office).reachable_servers(), "a call may still try"
    peer.start()
    office.advance(12)
    assert view(office).state is TrunkState.STATIC
    assert view(office).last_error is None
    assert states(office) == [TrunkState.UNREACHABLE, TrunkState.STATIC]


def test_a_call_that_is_answered_shows_that_it_lives(office: MemoryOffice) -> None:
    MemoryRegistrar(office).stop()
    has_link(office)
    office.advance(LOOK_S + 7)
    (server,) = line(office).servers
    line(office).note_answer(server)
    assert view(office).state is TrunkState.STATIC


def test_the_second_server_serves_meanwhile(office: MemoryOffice) -> None:
    office.resolver.known["carrier.example"] = (Server(FIRST, 5060, "UDP"), Server(SECOND, 5060, "UDP"))
    first, second = MemoryRegistrar(office, FIRST), MemoryRegistrar(office, SECOND)
    first.stop()
    has_link(office, host="carrier.example")
    office.advance(LOOK_S + 7)
    assert view(office).state is TrunkState.STATIC
    assert view(office).server == f"{SECOND}:5060"
    assert line(office).reachable_servers() == (second.server, first.server)
    first.start()
    office.advance(2 * LOOK_S + 2)
    assert view(office).server == f"{FIRST}:5060"
    assert view(office).last_error is None


def test_a_name_that_does_not_resolve_is_shown_at_once(office: MemoryOffice) -> None:
    has_link(office, host="nowhere.example")
    assert view(office).state is TrunkState.UNREACHABLE
    assert "does not resolve" in (view(office).last_error or "")
    assert view(office).server is None
    office.resolver.known["nowhere.example"] = (Server(FIRST, 5060, "UDP"),)
    MemoryRegistrar(office)
    has_link(office, max_in=1)
    office.advance(LOOK_S + 1)
    assert view(office).state is TrunkState.STATIC


@pytest.mark.parametrize("jump", [0, 1])
def test_a_link_begins_to_register_and_ends(office: MemoryOffice, jump: int) -> None:
    peer = MemoryRegistrar(office)
    has_link(office)
    has_trunk(office, registers=True)
    office.advance(jump)
    assert view(office).state is TrunkState.REGISTERED
    assert peer.contacts


def test_failures_put_a_server_behind_the_others_and_an_answer_back(office: MemoryOffice) -> None:
    servers = tuple(MemoryRegistrar(office, host).server for host in (FIRST, SECOND))
    office.resolver.known["carrier.example"] = servers
    has_link(office, host="carrier.example")
    line(office).note_failure(servers[0], "says 503")
    assert line(office).reachable_servers() == servers[::-1]
    office.advance(10)
    line(office).note_failure(servers[1], "says 503")
    assert line(office).reachable_servers() == servers, "the one that is free sooner goes first"
    line(office).note_answer(servers[1])
    assert line(office).reachable_servers() == servers[::-1]
    office.advance(31)
    assert line(office).reachable_servers() == servers
