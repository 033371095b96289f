"""A crowd on the phone: an office with many extensions, and handsets in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from engine.core.clock import SystemClock
from engine.media.gateway import StreamStatistics
from engine.media.native import NativeGateway
from engine.phones.handset import Handset, HandsetCall
from engine.phones.phone import Account
from engine.phones.voices import voice
from engine.store.configuration import Extension
from engine.store.passwords import digest_secrets
from engine.store.rows import Rows
from engine.store.store import Store
from tests.live.handsets import registered, talk
from tests.live.network import Network
from tests.live.office import SIP_PORT, Office


def furnish(office: Office, numbers: Iterable[str]) -> None:
    """Write extensions into an office that is not open: one command for each would take a minute."""
    office.passwords.update({number: f"pw-{number}-Xy7" for number in numbers})
    store = Store.open(office.state)
    try:
        realm = store.configuration.realm

        def write(rows: Rows) -> None:
            for number, password in office.passwords.items():
                rows.extensions.put(Extension(number, None, digest_secrets(number, realm, password)))

        store.submit(write).result(timeout=30)
    finally:
        store.close()


class Crowd:
    """Handsets and the audio gateway that they share."""

    def __init__(self, office: Office, network: Network, ports: range) -> None:
        self._office, self._network = office, network
        self._gateway, self._clock = NativeGateway(ports[0], ports[-1]), SystemClock()
        self._host = network.host()
        self.handsets: list[Handset] = []
        self.calls: list[HandsetCall] = []

    async def start(self) -> None:
        await self._gateway.start()

    async def stop(self) -> None:
        for handset in self.handsets:
            await handset.cut()
        await self._gateway.stop()

    async def phone(self, number: str) -> Handset:
        """A registered handset that answers what comes."""
        account = Account(number, self._office.passwords[number], (self._office.host, SIP_PORT))
        handset = Handset(account, self._host, self._gateway, self._clock, voice(len(self.handsets) % 4))
        self.handsets.append(handset)
        await handset.plug_in()
        await registered(handset)
        answering: set[asyncio.Task[None]] = set()
        handset.on_ring = lambda call: answering.add(asyncio.get_running_loop().create_task(call.answer()))
        return handset

    async def pairs_talk(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Every pair is in a call that stands."""
        for caller, callee in pairs:
            one = await self.phone(caller)
            await self.phone(callee)
            self.calls.append(await talk(one, callee))

    async def heard(self) -> list[StreamStatistics]:
        """What each phone that is in a call has received so far."""
        legs = [call.media for handset in self.handsets for call in handset.calls if call.media is not None]
        return [(await self._gateway.query(leg)).received for leg in legs]


@asynccontextmanager
async def a_crowd(office: Office, network: Network, ports: range) -> AsyncIterator[Crowd]:
    crowd = Crowd(office, network, ports)
    await crowd.start()
    try:
        yield crowd
    finally:
        await crowd.stop()
