"""A carrier that answers whatever it likes: the line never asks twice at once, and always says where it stands."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.views import TrunkState
from engine.net.resolve import Server
from engine.sip.message import Request, Response
from engine.sip.transaction.client import ClientState
from tests.unit.pbx.carrier import MemoryRegistrar, reply
from tests.unit.pbx.office import MemoryOffice
from tests.unit.pbx.test_trunk_registration import FIRST, SECOND, has_trunk, line, view
from tests.unit.pbx.wire import Weather

Whim = Callable[[MemoryRegistrar, Request], Response | None]


def ours(request: Request, seconds: int) -> tuple[tuple[str, str], ...]:
    return (("Contact", f"{request.headers.get('Contact')};expires={seconds}"),)


ASKED = 'Digest realm="x", nonce="n"'
WHIMS: tuple[Whim, ...] = (
    lambda carrier, request: carrier.register(request),
    lambda carrier, request: carrier.register(request),
    lambda carrier, request: carrier.grant(request),
    lambda carrier, request: None,
    lambda carrier, request: reply(request, 100),
    lambda carrier, request: reply(request, 503),
    lambda carrier, request: reply(request, 503, headers=(("Retry-After", "20"),)),
    lambda carrier, request: reply(request, 403),
    lambda carrier, request: reply(request, 401),
    lambda carrier, request: reply(request, 400, "Invalid CSeq number"),
    lambda carrier, request: reply(request, 423, headers=(("Min-Expires", "4000"),)),
    lambda carrier, request: reply(request, 302, headers=(("Contact", "<sip:elsewhere.example>"),)),
    lambda carrier, request: reply(request, 200),
    lambda carrier, request: reply(request, 200, headers=ours(request, 0)),
    lambda carrier, request: reply(request, 200, headers=ours(request, 1)),
    lambda carrier, request: reply(request, 200, headers=(("Contact", "*"),)),
    lambda carrier, request: reply(request, 401, headers=(("WWW-Authenticate", f"{ASKED}, stale=true"),)),
    lambda carrier, request: reply(request, 407, headers=(("Proxy-Authenticate", ASKED),)),
)  # fmt: skip


def under_way(office: MemoryOffice) -> int:
    """REGISTERs that wait for their final answer."""
    waiting = (ClientState.TRYING, ClientState.PROCEEDING)
    return sum(
        1
        for item in office.office.agent.layer.clients.values()
        if item.method == "REGISTER" and item.state in waiting and item.user is not None
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), losses=st.sampled_from([0.0, 0.1, 0.3]))
def test_whatever_the_carrier_answers(seed: int, losses: float) -> None:
    dice = Random(seed)
    office = MemoryOffice(seed)
    try:
        office.resolver.known["carrier.example"] = (Server(FIRST, 5060, "UDP"), Server(SECOND, 5060, "UDP"))
        carriers = [MemoryRegistrar(office, FIRST), MemoryRegistrar(office, SECOND)]
        for carrier in carriers:
            carrier.script_always = lambda request, carrier=carrier: dice.choice(WHIMS)(carrier, request)
        office.wire.weather = Weather(loss=losses, doubling=losses / 2, delay=0.05)
        has_trunk(office, host="carrier.example")
        for _ in range(60):
            office.advance(dice.choice([0.05, 0.3, 2.0, 10.0, 60.0]))
            if dice.random() < 0.1:
                has_trunk(
                    office, password=dice.choice(["pass1", "wrong"]), host=dice.choice(["carrier.example", FIRST])
                )
            if dice.random() < 0.05:
                dice.choice(carriers).stop()
            if dice.random() < 0.1:
                dice.choice(carriers).start()
            assert under_way(office) <= 1
            state = view(office).state
            assert state in set(TrunkState) - {TrunkState.STATIC}
            assert (state in (TrunkState.FAILED, TrunkState.UNREACHABLE)) <= bool(view(office).last_error)
            assert (state is TrunkState.REGISTERED) <= (view(office).server is not None)
        for carrier in carriers:
            assert all(request.headers.get("Contact") != "*" for request in carrier.registers)
            for call_id in {request.call_id for request in carrier.registers}:
                numbers = [item.cseq.number for item in carrier.registers if item.call_id == call_id]
                assert numbers == sorted(numbers) or losses, "CSeq rises in a Call-ID"
        office.wire.weather = Weather()
        for carrier in carriers:
            carrier.start()
            carrier.script_always = None
        has_trunk(office, password="pass1", host="carrier.example")
        line(office).hurry()
        office.advance(400)
        assert view(office).state is TrunkState.REGISTERED, "a sound carrier is registered with in the end"
        (serving,) = (carrier for carrier in carriers if view(office).server == f"{carrier.host}:5060")
        office.everyone_hangs_up()
        office.assert_nothing_is_left()
        assert not serving.contacts
    finally:
        office.close()
