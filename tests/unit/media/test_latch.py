"""Who may speak on a leg: strangers race a phone, and the phone moves, on real sockets."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from engine.media.gateway import LegPlan, MediaAddress, MediaLegId
from engine.media.native import NativeGateway

from .phones import PCMA, Phone, own_host, report_block, rtp, sender_report, until

HOST = own_host(7)
HOME, ROUTER, OTHER_ROUTER, CALLEE_HOST = "127.3.7.1", "127.3.7.2", "127.3.7.3", "127.3.7.4"
ATTACKERS = ("127.3.7.66", "127.3.7.67", "127.3.7.68")
EVIL, GOOD = b"evil" * 40, b"good" * 40


class Talk:
    """A leg whose latch is tried, joined to a callee that hears what passes it."""

    def __init__(self, gateway: NativeGateway) -> None:
        self.gateway = gateway
        self.callee = Phone(CALLEE_HOST)
        self.leg = MediaLegId(0)
        self.address = MediaAddress("", 0, 0)
        self._said = 0

    async def begin(self) -> None:
        self.leg, self.address = await self.gateway.open_leg(HOST)
        other, _ = await self.gateway.open_leg(HOST)
        await self.gateway.update_leg(other, LegPlan(self.callee.address, (PCMA,)))
        await self.gateway.connect(self.leg, other)

    async def settle(self, remote: MediaAddress, *trusted: str) -> None:
        """What the phone's SDP says and where its signalling comes from."""
        await self.gateway.update_leg(self.leg, LegPlan(remote, (PCMA,), trusted_hosts=trusted))

    def say(self, phone: Phone, payload: bytes = GOOD) -> None:
        self._said += 1
        phone.send(self.address, rtp(self._said, payload=payload))

    def is_heard(self, phone: Phone) -> None:
        """Whatever the phone says is what the callee hears next: nobody else gets between."""
        for _ in range(5):
            self.say(phone)
            assert self.callee.hear().payload == GOOD

    async def latched(self) -> tuple[str, int] | None:
        return (await self.gateway.query(self.leg)).latched

    async def strangers(self, at_least: int) -> None:
        async def are_counted() -> bool:
            return (await self.gateway.query(self.leg)).strangers >= at_least

        await until(are_counted)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    gateway = NativeGateway(35000, 35999)
    await gateway.start()
    talk = Talk(gateway)
    await talk.begin()
    yield talk
    talk.callee.close()
    await gateway.stop()


@contextmanager
def attack(target: MediaAddress, *hosts: str) -> Iterator[None]:
    """Strangers send RTP and RTCP as fast as they can, from the block's begin to its end."""
    attackers = [Phone(host) for host in hosts]
    is_over, has_begun = threading.Event(), threading.Event()

    def flood() -> None:
        sequence = 0
        while not is_over.is_set():
            sequence += 1
            for attacker in attackers:
                attacker.send(target, rtp(sequence, ssrc=666, payload=EVIL))
                attacker.report(target, sender_report(666, block=report_block(1, lost=99)))
            has_begun.set()

    thread = threading.Thread(target=flood)
    thread.start()
    assert has_begun.wait(5)
    try:
        yield
    finally:
        is_over.set()
        thread.join(5)
        for attacker in attackers:
            attacker.close()


async def test_strangers_who_are_faster_win_nothing(talk: Talk) -> None:
    phone = Phone(HOME)
    await talk.settle(phone.address)
    with attack(talk.address, *ATTACKERS):
        await talk.strangers(100)
        assert await talk.latched() is None
        talk.is_heard(phone)
        await talk.strangers(200)
    assert await talk.latched() == (HOME, phone.address.port)
    assert (await talk.gateway.query(talk.leg)).sent.lost == 0
    phone.close()


async def test_strangers_win_nothing_while_the_phone_moves(talk: Talk) -> None:
    before, after = Phone(HOME), Phone(OTHER_ROUTER)
    await talk.settle(before.address)
    talk.is_heard(before)
    with attack(talk.address, *ATTACKERS):
        await talk.settle(after.address)
        await talk.strangers(100)
        talk.is_heard(after)
        await talk.strangers(300)
    assert await talk.latched() == (OTHER_ROUTER, after.address.port)
    for each in (before, after):
        each.close()


async def test_the_same_sdp_keeps_the_latch(talk: Talk) -> None:
    """A session refresh must open no door: even another port of the phone's own host stays out."""
    phone, beside = Phone(ROUTER), Phone(ROUTER)
    private = MediaAddress("10.0.0.8", 4000, 4001)
    await talk.settle(private, ROUTER)
    talk.is_heard(phone)
    await talk.settle(private, ROUTER)
    talk.say(beside, EVIL)
    await talk.strangers(1)
    talk.is_heard(phone)
    assert await talk.latched() == (ROUTER, phone.address.port)
    for each in (phone, beside):
        each.close()


@pytest.mark.parametrize(
    "moved",
    [MediaAddress("10.0.0.8", 4002, 4003), MediaAddress("10.0.0.9", 4000, 4001)],
    ids=["another port", "another host"],
)
async def test_a_changed_sdp_lets_the_phone_behind_nat_come_from_elsewhere(talk: Talk, moved: MediaAddress) -> None:
    before, after = Phone(ROUTER), Phone(ROUTER)
    await talk.settle(MediaAddress("10.0.0.8", 4000, 4001), ROUTER)
    talk.is_heard(before)
    talk.say(after, EVIL)
    await talk.strangers(1)
    await talk.settle(moved, ROUTER)
    talk.is_heard(after)
    assert await talk.latched() == (ROUTER, after.address.port)
    for each in (before, after):
        each.close()


async def test_a_phone_behind_another_nat_is_heard_though_its_private_address_stays(talk: Talk) -> None:
    before, after = Phone(ROUTER), Phone(OTHER_ROUTER)
    private = MediaAddress("192.168.1.20", 4000, 4001)
    await talk.settle(private, ROUTER)
    talk.is_heard(before)
    await talk.settle(private, OTHER_ROUTER)
    talk.is_heard(after)
    talk.say(before, EVIL)
    await talk.strangers(1)
    assert await talk.latched() == (OTHER_ROUTER, after.address.port)
    for each in (before, after):
        each.close()


async def test_packets_on_their_way_are_still_heard_after_the_sdp_changed(talk: Talk) -> None:
    before, after = Phone(HOME), Phone(OTHER_ROUTER)
    await talk.settle(before.address)
    talk.is_heard(before)
    await talk.settle(after.address)
    talk.say(before)
    assert talk.callee.hear().payload == GOOD
    talk.is_heard(after)
    for each in (before, after):
        each.close()


async def test_rtcp_has_a_latch_of_its_own(talk: Talk) -> None:
    """A stranger's reports teach nothing, before the phone's first and after it, and the phone's go where it is."""
    phone = Phone(HOME)
    await talk.settle(phone.address)
    talk.is_heard(phone)
    with attack(talk.address, *ATTACKERS):
        phone.report(talk.address, sender_report(1))
        await talk.strangers(100)
    assert (await talk.gateway.query(talk.leg)).sent.lost == 0
    await talk.gateway.connect(talk.leg, talk.leg)
    talk.say(phone)
    phone.hear()
    await talk.gateway.close_leg(talk.leg)
    assert phone.hear_report()[1] == 200
    phone.close()
