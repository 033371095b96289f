"""The simulated phones at the wire of an office in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from engine.phones.call import PhoneCall
from engine.phones.phone import Account, Phone
from engine.sip.flow import Flow
from engine.sip.offer_answer import RtpAddress
from engine.sip.transaction.outputs import Send
from tests.unit.pbx.office import OFFICE, MemoryOffice, password_of
from tests.unit.pbx.phone import PORT


class WiredPhone:
    """A simulated phone on the wire, driven as ``MemoryOffice`` drives its own."""

    def __init__(self, office: MemoryOffice, number: str, host: str, password: str | None = None) -> None:
        self._office = office
        self.number = number
        self.is_awake = True
        """Looked at each time the office moves: what it says may come from outside of it."""
        self.rung: list[PhoneCall] = []
        self.calls: list[object] = []
        """None of the kind that the office in memory knows how to end."""
        self.dialled: list[PhoneCall] = []
        seeds = count(1)
        account = Account(number, password or password_of(number), (OFFICE, PORT))
        self.phone = Phone(
            account,
            Flow("UDP", host, PORT, OFFICE, PORT),
            lambda size: f"{number}{next(seeds):x}".encode().hex().rjust(2 * size, "a")[-2 * size :],
            self.rung.append,
        )
        self.agent = self.phone.agent
        self.local = RtpAddress(host, 4000, 4001)
        self.rtp_port = self.local.port
        office.wire.attach((host, PORT), lambda data, flow: self.agent.receive(data, flow, self.now))
        office.phones.append(self)  # type: ignore[arg-type]

    @property
    def now(self) -> float:
        return self._office.clock.now()

    @property
    def next_timer(self) -> float | None:
        return self.agent.next_timer()

    def flush(self) -> bool:
        outputs = self.agent.take_outputs(self.now)
        for output in outputs:
            if isinstance(output, Send):
                self._office.wire.carry(output.data, output.flow)
            else:
                self.phone.hear(output, self.now)
        return bool(outputs)

    def registers(self) -> None:
        self.phone.register(self.now)
        self._office.settle()

    def dials(self, number: str) -> PhoneCall:
        call = self.phone.call(number)
        self.dialled.append(call)
        call.dial(self.local, self.now)
        self._office.settle()
        return call


@pytest.fixture
def office() -> Iterator[MemoryOffice]:
    office = MemoryOffice(extensions=("101", "102"))
    try:
        yield office
        for phone in office.phones:
            assert isinstance(phone, WiredPhone)
            for call in (*phone.dialled, *phone.rung):
                call.hang_up(phone.now)
        office.linger()
        office.assert_nothing_is_left()
    finally:
        office.close()


@pytest.fixture
def pair(office: MemoryOffice) -> tuple[WiredPhone, WiredPhone]:
    """Two registered phones, 101 and 102."""
    phones = WiredPhone(office, "101", "192.0.2.11"), WiredPhone(office, "102", "192.0.2.12")
    for phone in phones:
        phone.registers()
    return phones
