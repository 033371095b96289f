"""A transfer that is asked for at the desk: by console or command line, whatever the phones know."""

from __future__ import annotations

import pytest

from engine.core.errors import NotFoundError, RefusedError
from engine.core.views import CallState, ReleasedBy
from engine.store.configuration import Right
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect


def transfer(office: MemoryOffice, number: str, acting: str | None = None, target: str | None = None) -> None:
    by = office.configuration.extensions[acting] if acting is not None else None
    office.run(office.office.operator.transfer(target or office.call.id, number, by, None))
    office.settle()


@pytest.mark.parametrize("acting", [None, "101", "102"])
def test_the_other_party_is_connected(office: MemoryOffice, acting: str | None) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    transfer(office, "103", acting)
    party, gone = (bob, call) if acting == "101" else (alice, other)
    assert not gone.is_over  # whoever transfers keeps the party until somebody takes it
    carol.ringing.answer()
    office.settle()
    assert gone.is_over
    assert (office.hears(party), office.hears(carol)) == ("103", party.number)
    office.everyone_hangs_up()
    office.linger()
    office.assert_nothing_is_left()


def test_one_that_fails_gives_the_party_back(office: MemoryOffice) -> None:
    alice, bob, call, other = office.talking()
    (carol,) = office.registered("103")
    transfer(office, "103", "102")
    carol.ringing.refuse(486)
    office.settle()
    assert call.is_up
    assert other.is_up
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")
    assert office.call.state is CallState.TALKING


def test_a_call_that_rings_is_sent_on(office: MemoryOffice) -> None:
    alice, bob, carol = office.registered("101", "102", "103")
    call = alice.call("102")
    office.settle()
    transfer(office, "103")
    assert bob.ringing.is_over
    assert "181" in call.heard
    carol.ringing.answer()
    office.settle()
    assert (office.hears(alice), office.hears(carol)) == ("103", "101")
    call.hang_up()
    office.settle()
    assert office.record.released_by is ReleasedBy.CALLER
    office.linger()
    office.assert_nothing_is_left()


def test_a_call_that_rings_outside_is_taken_from_its_line(office: MemoryOffice) -> None:
    alice, carol = office.registered("101", "103")
    carrier = MemoryCarrier(office)
    connect(office, max_out=1)
    alice.call("94711")
    office.settle()
    transfer(office, "103", "101")
    line = office.office.exchange.trunks.line("line")
    assert line is not None
    assert line.view().active_out == 0
    assert carrier.ringing.is_over
    carol.ringing.answer()
    office.settle()
    assert office.hears(alice) == "103"


def test_who_is_no_party_needs_the_right(office: MemoryOffice) -> None:
    office.talking()
    office.registered("103", "104")
    with pytest.raises(RefusedError, match="103 may not transfer calls of others"):
        transfer(office, "104", "103")
    office.has("103", rights=frozenset({Right.TAKE_OVER}))
    transfer(office, "104", "103")
    assert office.call.parties[-1].extension == "104"


def test_overstep_protects_from_others_alone(office: MemoryOffice) -> None:
    office.has("101", rights=frozenset({Right.OVERSTEP}))
    office.has("103", rights=frozenset({Right.TAKE_OVER}))
    office.talking()
    office.registered("103", "104")
    with pytest.raises(RefusedError, match="overstep"):
        transfer(office, "104", "103")
    transfer(office, "104", "102")
    assert office.call.parties[-1].extension == "104"


def test_what_cannot_be_reached_is_told_at_once(office: MemoryOffice) -> None:
    alice, bob, *_ = office.talking()
    with pytest.raises(RefusedError, match="999 cannot be reached from 102: 404"):
        transfer(office, "999")
    with pytest.raises(NotFoundError, match="there is no call"):
        transfer(office, "103", target="nothing")
    assert (office.hears(alice), office.hears(bob)) == ("102", "101")


def test_a_call_that_has_changed_is_left_alone(office: MemoryOffice) -> None:
    office.talking()
    office.registered("103")
    with pytest.raises(RefusedError, match="has changed meanwhile: look at it as it is now"):
        office.run(office.office.operator.transfer(office.call.id, "103", None, office.call.revision - 1))
