"""Any call, over a network that loses, doubles and reorders: in the end nothing of it is left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.core.errors import FrontdeskError
from engine.store.configuration import HoldPolicy
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.phone import MemoryPhone, PhoneCall
from tests.unit.pbx.wire import Weather

STORM = Weather(loss=0.2, doubling=0.2, overtaking=0.3, delay=0.02)
NUMBERS = ("101", "102", "102", "103")
PHONES = st.integers(0, len(NUMBERS) - 1)
DIALLED = st.sampled_from(["101", "102", "103", "999"])
PAUSES = st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.7, 3.0, 12.0])

DEEDS: dict[str, Callable[[PhoneCall], None]] = {
    "ring": PhoneCall.ring,
    "early media": lambda call: call.ring(183, call.phone.answer_to(call.remote_sdp)),
    "answer": PhoneCall.answer,
    "answer with garbage": lambda call: call.answer(b"garbage"),
    "busy": lambda call: call.refuse(486),
    "hang up": PhoneCall.hang_up,
    "hold": PhoneCall.hold,
    "resume": PhoneCall.resume,
    "another codec": lambda call: call.reoffer(call.phone.sdp(codecs=("PCMU",))),
    "ask for an offer": PhoneCall.ask_for_an_offer,
    "take back": PhoneCall.take_reoffer_back,
}
CALL = st.tuples(st.just("call"), PHONES, DIALLED, st.booleans())
DEED = st.tuples(st.sampled_from(sorted(DEEDS)), PHONES)
STEPS = st.one_of(
    CALL,
    DEED,
    DEED,
    DEED,
    st.tuples(st.just("vanish"), PHONES),
    st.tuples(st.just("return"), PHONES),
    st.tuples(st.just("release"), DIALLED),
    st.tuples(st.just("register"), PHONES, st.sampled_from([0, 60, 3600])),
)
SCRIPTS = st.tuples(st.tuples(CALL, PAUSES), st.lists(st.tuples(STEPS, PAUSES), max_size=14)).map(
    lambda parts: [parts[0], *parts[1]]
)


class Scene:
    """Four phones of three numbers, registered in fair weather, then left to the script."""

    def __init__(self, seed: int, *, passes: bool, eager: bool) -> None:
        self.office = MemoryOffice(seed)
        policy = HoldPolicy.PASS if passes else HoldPolicy.LOCAL
        self.office.has("101", "102", "103", multi_device=True, hold=policy)
        self.phones = self.office.registered(*NUMBERS)
        self.vanished: set[str] = set()
        self.office.wire.weather = STORM
        for phone in self.phones:
            phone.picks_up = eager

    def play(self, step: tuple[object, ...]) -> None:
        match step:
            case ("call", int(phone), str(number), bool(is_late)):
                self.phones[phone].call(number, sdp=b"" if is_late else None)
            case ("vanish", int(phone)):
                self.phones[phone].vanish()
                self.vanished.add(self.phones[phone].number)
            case ("return", int(phone)):
                self.phones[phone].plug()
            case ("release", str(number)):
                self._release(number)
            case ("register", int(phone), int(seconds)):
                self.phones[phone].register(expires=seconds)
            case (str(deed), int(phone)):
                self._do(DEEDS[deed], self.phones[phone])

    def _do(self, deed: Callable[[PhoneCall], None], phone: MemoryPhone) -> None:
        if phone.calls:
            with suppress(
                FrontdeskError, AssertionError
            ):  # a phone that is asked for what it cannot do does nothing
                deed(phone.calls[-1])

    def _release(self, number: str) -> None:
        for call in self.office.office.lamp_board.calls_of(number):
            self.office.run(self.office.office.operator.release(call, None))

    def end(self) -> None:
        """Everybody hangs up; a call whose phones have both vanished is for an operator to end."""
        self.office.everyone_hangs_up()
        for view in self.office.office.calls():
            assert {party.extension for party in view.parties} <= self.vanished
            self.office.run(self.office.office.operator.release(view.id, view.revision))
            self.office.everyone_hangs_up()
        self.office.assert_nothing_is_left()

    def check(self) -> None:
        """What must hold at any moment."""
        office = self.office.office
        legs = sum(len(call.legs) for call in office.exchange.calls.values())
        assert len(self.office.gateway.legs) <= legs
        for view in office.calls():
            assert view is office.exchange.calls[view.id].view()
        assert len(office.people()) == 3


@pytest.mark.thorough
@settings(
    max_examples=200,
    phases=[Phase.generate],  # shrinking a story of minutes takes hours and tells little more
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=SCRIPTS, seed=st.integers(0, 2**16), passes=st.booleans(), eager=st.booleans())
def test_whatever_happens_in_a_storm_nothing_is_left_of_it(
    caplog: pytest.LogCaptureFixture,
    script: list[tuple[tuple[object, ...], float]],
    seed: int,
    passes: bool,
    eager: bool,
) -> None:
    caplog.clear()
    scene = Scene(seed, passes=passes, eager=eager)
    office = scene.office
    try:
        for step, pause in script:
            scene.play(step)
            office.advance(pause)
            scene.check()
        scene.end()
        errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert not errors
        started = {record.id for record in office.records}
        assert len(started) == len(office.records)
    finally:
        office.close()
