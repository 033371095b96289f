"""Thousands of calls that end in every way somebody can think of: afterwards nothing of them is left.

A round is forty calls at once through one office. Who does what, and when, comes from the seed that names the test.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from engine.core.errors import FrontdeskError
from engine.core.events import CallStarted
from engine.core.peering import ReliableProvisional
from engine.media.gateway import LegStatistics, StreamStatistics
from tests.unit.pbx.crowd import Pair, open_office
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.wire import Weather

CALLS, ROUNDS = 40, 5
FIRST, *REST = range(11)
RING_TIMEOUT_S = 15
SCRIPT_S = 12.0
QUIET_S = 100.0
"""Longer than any wait for an answer: a ring timeout, a lost ACK, an unanswered BYE or probe."""

FAIR = (Weather(), Weather(delay=0.02), Weather(delay=0.3))
FOUL = (
    Weather(loss=0.15, doubling=0.1, overtaking=0.2, delay=0.02),
    Weather(loss=0.3, doubling=0.3, overtaking=0.3, delay=0.05),
)


def other_phone(call: PhoneCall) -> PhoneCall:
    """One behind the same proxy; in memory both answer one transaction, which no reliable response survives."""
    assert call.phone.reliable is not ReliableProvisional.REQUIRED
    return call.fork()


OF_BOTH: dict[str, Callable[[PhoneCall], None]] = {
    "hang up": PhoneCall.hang_up,
    "hang up with a reason": lambda call: call.hang_up("Q.850;cause=16"),
    "hold": PhoneCall.hold,
    "resume": PhoneCall.resume,
    "another codec": lambda call: call.reoffer(call.phone.sdp(codecs=("PCMU",))),
    "no common codec": lambda call: call.reoffer(call.phone.sdp(codecs=("G729",))),
    "a garbled offer": lambda call: call.reoffer(b"garbage"),
    "ask for an offer": PhoneCall.ask_for_an_offer,
    "take the offer back": PhoneCall.take_reoffer_back,
    "answer the offer": PhoneCall.answer_reoffer,
    "refuse the offer": PhoneCall.refuse_reoffer,
    "meet the offer": lambda call: call.refuse_reoffer(491),
}
OF_CALLEE: dict[str, Callable[[PhoneCall], None]] = {
    "ring": PhoneCall.ring,
    "early media": lambda call: call.ring(183, call.phone.answer_to(call.remote_sdp)),
    "early media in one codec": lambda call: call.ring(180, call.phone.sdp(codecs=("PCMU",))),
    "garbled early media": lambda call: call.ring(183, b"garbage"),
    "answer": PhoneCall.answer,
    "answer again": PhoneCall.answer,
    "answer in one codec": lambda call: call.answer(call.phone.sdp(codecs=("PCMU",))),
    "answer with garbage": lambda call: call.answer(b"garbage"),
    "answer with nothing": lambda call: call.answer(b""),
    "answer twice": lambda call: (other_phone(call).answer(), call.answer())[-1],
    "ring twice": lambda call: (other_phone(call).ring(183, call.phone.sdp()), call.ring())[-1],
    "busy": lambda call: call.refuse(486),
    "decline": lambda call: call.refuse(603),
    "fail": lambda call: call.refuse(500),
    "redirect": lambda call: call.refuse(302),
}


class Round:
    """Forty calls: each has a caller, a callee with one to three phones, and a script."""

    def __init__(self, office: MemoryOffice, dice: Random) -> None:
        self.office = office
        self.dice = dice
        self.troubled: set[MemoryPhone] = set()
        """Phones that were cut off at some time: they may believe anything."""

    def play(self, pairs: list[Pair]) -> None:
        office, dice = self.office, self.dice
        office.wire.weather = dice.choice(FAIR + FOUL)
        script: list[tuple[float, Callable[[], None]]] = []
        for caller, phones in pairs:
            script += self._script_of(caller, phones)
        passed = 0.0
        for at, deed in sorted(script, key=lambda step: step[0]):
            office.advance(at - passed)
            passed = at
            with suppress(FrontdeskError, AssertionError):  # who is asked for what cannot be done does nothing
                deed()
        office.wire.weather = Weather(delay=0.02)
        office.wire.unreachable.clear()
        office.wire.doomed.clear()

    def _script_of(self, caller: MemoryPhone, phones: list[MemoryPhone]) -> list[tuple[float, Callable[[], None]]]:
        dice = self.dice
        for phone in (caller, *phones):
            phone.calls.clear()
            phone.rings, phone.picks_up = dice.random() < 0.7, dice.random() < 0.2
            phone.refuses_with = dice.choice([None] * 9 + [486])
            phone.reoffers = dice.choice(["accept", "accept", "refuse", "wait"])
        number = phones[0].number
        begins = dice.uniform(0, 2)
        steps = [(begins, lambda: self._dial(caller, number))]
        for _ in range(dice.randint(1, 7)):
            at = begins + dice.choice([0.0, 0.03, 0.1, dice.uniform(0, 1), dice.uniform(0, SCRIPT_S - 2)])
            steps.append((at, self._deed(caller, phones)))
        return steps

    def _dial(self, caller: MemoryPhone, number: str) -> None:
        kind = self.dice.random()
        call = caller.call(number, sdp=b"" if kind < 0.15 else caller.sdp(codecs=("G729",)) if kind < 0.2 else None)
        if kind < 0.05:
            call.late_answer = self.dice.choice([b"", b"garbage"])

    def _deed(self, caller: MemoryPhone, phones: list[MemoryPhone]) -> Callable[[], None]:
        dice, office = self.dice, self.office
        phone = dice.choice([caller, *phones])
        kind = dice.random()
        if kind < 0.03:
            return lambda: self._cut_off(phone)
        if kind < 0.05:
            return lambda: self._make_unreachable(phone)
        if kind < 0.08:
            return lambda: self._release(phone.number)
        if kind < 0.11:
            name, host = dice.choice([("ACK", phone.host), ("200", phone.host), ("BYE", phone.host)])
            return lambda: office.wire.lose(name, host, dice.randint(1, 5))
        if kind < 0.14:
            return lambda: self._fall_silent(phone)
        deeds = {**OF_BOTH, **OF_CALLEE, **OF_CALLEE} if phone is not caller else OF_BOTH
        deed = deeds[dice.choice(sorted(deeds))]
        return lambda: deed(phone.calls[-1]) if phone.calls else None

    def _cut_off(self, phone: MemoryPhone) -> None:
        self.troubled.add(phone)
        phone.vanish()

    def _make_unreachable(self, phone: MemoryPhone) -> None:
        self.troubled.add(phone)
        self.office.wire.unreachable.add(phone.host)

    def _fall_silent(self, phone: MemoryPhone) -> None:
        silence = LegStatistics(StreamStatistics(packets=9), StreamStatistics(), silent_s=200.0)
        for media in self.office.gateway.legs.values():
            if self.office._owner(media) is phone:
                media.statistics = silence

    def _release(self, number: str) -> None:
        for call in self.office.office.lamp_board.calls_of(number):
            self.office.run(self.office.office.operator.release(call, None))

    def check_that_both_sides_agree(self, phones: list[MemoryPhone]) -> None:
        """Every phone that was never cut off is in a call exactly when the office says so."""
        sessions = self.office.office.agent.sessions.values()
        known = {session.call_id for session in sessions}
        for phone in phones:
            if phone in self.troubled:
                continue
            for call in phone.calls:
                if call.is_up:
                    assert call.line.call_id in known, f"{phone.number} talks to nobody: {call.heard}"
        for call in self.office.office.exchange.calls.values():
            for leg in call.legs:
                phone = next(one for one in phones if one.host == leg.flow.remote_host)
                if phone in self.troubled or call.answered_at is None:
                    continue
                (lived,) = [one for one in phone.calls if one.line.call_id == leg.dialogue.call_id]
                lives = lived.is_up or any(branch.is_up for branch in lived.branches)
                assert lives, f"{call.id} goes on without {phone.number}: {lived.heard}"

    def end(self, phones: list[MemoryPhone]) -> None:
        """Everybody hangs up; a call whose phones have all been cut off is for an operator to end."""
        self.office.everyone_hangs_up()
        cut_off = {phone.number for phone in self.troubled}
        left = self.office.office.calls()
        for view in left:
            assert {party.extension for party in view.parties} <= cut_off, view
            self._release(view.caller)
        if left:
            self.office.linger()
        self.office.assert_nothing_is_left()
        for phone in phones:
            phone.plug()


@pytest.mark.parametrize("seed", [FIRST, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in REST)])
def test_however_calls_end_nothing_is_left_of_them(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    dice = Random(seed)
    started = 0
    with open_office(seed, CALLS, dice, ring_timeout_s=RING_TIMEOUT_S, silent_party_s=20) as (office, pairs):
        for _ in range(ROUNDS):
            one = Round(office, dice)
            one.play(pairs)
            office.linger(QUIET_S)
            one.check_that_both_sides_agree(office.phones)
            one.end(office.phones)
            started += len(office.heard_events(CallStarted))
            office.events.clear()
            office.wire.story.clear()
        assert len({record.id for record in office.records}) == len(office.records) == started
        assert started > 0.7 * ROUNDS * CALLS  # some callers were cut off before they could call
        errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert not errors
