"""The public address changes while calls come, go, hold and turn to fax on a lossy wire: nothing is left behind."""

from __future__ import annotations

from random import Random

import pytest

from engine.sip.sdp import SessionDescription
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.outside import MemoryCarrier, connect
from tests.unit.pbx.phone import LIVE, MemoryPhone, PhoneCall
from tests.unit.pbx.test_nat import advertise
from tests.unit.pbx.wire import Weather

ADDRESSES = ("203.0.113.7", "203.0.113.8", "203.0.113.9")
FAX = ("T38FaxVersion:0", "T38MaxBitRate:14400")
TURNS = 25


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_meanwhile_the_outside_knows_where_we_are(seed: int) -> None:
    office, dice = MemoryOffice(seed), Random(seed)
    try:
        nat = advertise(office, "office.test")
        nat.take([ADDRESSES[0]])
        carrier = MemoryCarrier(office)
        connect(office)
        phones = office.registered("101", "102")
        for phone in (*phones, carrier):
            phone.picks_up, phone.fax = True, FAX
        office.wire.weather = Weather(loss=0.05, doubling=0.05, overtaking=0.1, delay=0.02)
        for _ in range(TURNS):
            happen(office, dice, phones, carrier)
            office.advance(dice.uniform(0.0, 1.5))
        office.wire.weather = Weather()
        office.advance(40)
        assert nat.addresses[0] in ADDRESSES
        for call in carrier.calls:
            if is_talking(call) and call.remote_sdp:
                assert SessionDescription.parse(call.remote_sdp).host == nat.addresses[0], call.heard
        office.everyone_hangs_up()
        office.assert_nothing_is_left()
    finally:
        office.close()


def happen(office: MemoryOffice, dice: Random, phones: list[MemoryPhone], carrier: MemoryCarrier) -> None:
    """One thing at random."""
    what = dice.choice(("move", "out", "in", "hold", "fax", "talk", "hang up"))
    live = [
        call for phone in (*phones, carrier) for call in phone.calls if is_talking(call) and call.line.may_reoffer
    ]
    if what == "move":
        office.office.endpoint.nat.take([dice.choice(ADDRESSES)])
    elif what == "out":
        dice.choice(phones).call("94711")
    elif what == "in":
        carrier.dials(dice.choice(("101", "102")))
    elif live:
        call = dice.choice(live)
        if what == "hold":
            call.hold()
        elif what == "fax":
            call.reoffer(call.phone.fax_sdp())
        elif what == "talk":
            call.resume()
        else:
            call.hang_up()


def is_talking(call: PhoneCall) -> bool:
    return call.session is not None and call.line.state in LIVE
