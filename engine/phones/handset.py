"""A telephone on the desk: its socket, its audio, and calls that a coroutine can place, answer and wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from engine.core.clock import Clock
from engine.core.tokens import TokenSource
from engine.media.gateway import Clip, LegPlan, MediaAddress, MediaLegId
from engine.net.endpoint import Endpoint
from engine.net.udp import UdpSocket
from engine.pbx.leg import leg_plan
from engine.phones.call import Phase, PhoneCall
from engine.phones.phone import Account, Phone
from engine.sip.agent import AgentOutput
from engine.sip.flow import Flow
from engine.sip.offer_answer import RtpAddress, Settled

TICK_S = 1.0


class Audio(Protocol):
    """What a handset asks of whatever carries its audio: a part of ``MediaGateway``."""

    async def open_leg(self, local_host: str) -> tuple[MediaLegId, MediaAddress]: ...
    async def update_leg(self, leg: MediaLegId, plan: LegPlan) -> None: ...
    async def play(self, leg: MediaLegId, clip: Clip, *, repeat: bool = False) -> None: ...
    async def stop_playing(self, leg: MediaLegId) -> None: ...
    async def close_leg(self, leg: MediaLegId) -> object: ...


class Handset:
    """One telephone; ``plug_in`` before anything else, ``cut`` at the end. Lives on one loop."""

    def __init__(self, account: Account, host: str, gateway: Audio, clock: Clock, voice: Clip) -> None:
        self.account = account
        self.host = host
        self.gateway = gateway
        self.clock = clock
        self.voice = voice
        """What its owner says, over and over, while a call is up."""
        self.calls: list[HandsetCall] = []
        """Calls that are not over."""
        self.on_ring: Callable[[HandsetCall], None] = lambda call: None
        self.takes_orders = False
        """Whether the office may work it by remote control, as the phones of operators."""
        self._phone: Phone | None = None
        self._endpoint: Endpoint | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def number(self) -> str:
        return self.account.number

    @property
    def phone(self) -> Phone:
        """The phone itself; only while it is plugged in."""
        assert self._phone is not None
        return self._phone

    @property
    def is_registered(self) -> bool:
        return self._phone is not None and self._phone.is_registered

    async def plug_in(self) -> None:
        """Bind a free port on ``host`` and register; raises ``OSError`` when the host is none of ours."""
        udp = await UdpSocket.open(self.host, 0, self._receive)
        flow = Flow("UDP", udp.host, udp.port, *self.account.office)
        self._phone = Phone(self.account, flow, TokenSource().hex, self._ring)
        self._phone.takes_orders = self.takes_orders
        self._endpoint = Endpoint(self._phone.agent, self.clock, self._hear)
        self._endpoint.add_socket(udp)
        self._phone.register(self.clock.now())
        self._endpoint.flush()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def cut(self) -> None:
        """Pull the plug: nothing is sent any more, and nothing of the phone is left."""
        tasks = [call.closed for call in self.calls] + ([self._ticking] if self._ticking else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._endpoint is not None:
            self._endpoint.close()
        self._endpoint = self._phone = self._ticking = None

    async def call(self, number: str) -> HandsetCall:
        """Dial ``number``; raises ``PortsExhaustedError`` when there is no port for the audio."""
        call = HandsetCall(self, self.phone.call(number))
        local = await call.open_audio()
        call.line.dial(local, self.clock.now())
        self.flush()
        return call

    def flush(self) -> None:
        """Send what the phone has said."""
        if self._endpoint is not None:
            self._endpoint.flush()

    def _receive(self, data: bytes, flow: Flow) -> None:
        if self._endpoint is not None:
            self._endpoint.receive(data, flow)

    def _hear(self, output: AgentOutput) -> None:
        if self._phone is not None:
            self._phone.hear(output, self.clock.now())

    def _ring(self, line: PhoneCall) -> None:
        if line.phase is Phase.OVER:
            return
        call = HandsetCall(self, line)
        if line.answers_itself:
            call.obey("talk")
        else:
            self.on_ring(call)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.phone.tick(self.clock.now())
            self.flush()


class HandsetCall:
    """One call of a handset. Its audio follows what SDP settles, and its ports go when it is over."""

    def __init__(self, handset: Handset, line: PhoneCall) -> None:
        self.handset = handset
        self.line = line
        self._media: MediaLegId | None = None
        self._heard: Settled | None = None
        self._has_changed = asyncio.Event()
        line.on_change = self._has_changed.set
        line.on_order = self.obey
        self._deeds: set[asyncio.Task[None]] = set()
        handset.calls.append(self)
        self._watchers: set[asyncio.Event] = set()
        self.closed = asyncio.get_running_loop().create_task(self._follow())
        """Done when nothing of the call is left."""

    @property
    def number(self) -> str:
        """The other party."""
        return self.line.number

    @property
    def phase(self) -> Phase:
        return self.line.phase

    @property
    def media(self) -> MediaLegId | None:
        """Its leg at the handset's gateway, while it has one."""
        return self._media

    async def until(self, *phases: Phase, limit: float) -> bool:
        """Wait until the call stands in one of ``phases`` or is over; ``False`` after ``limit`` seconds."""
        woken = asyncio.Event()
        self._watchers.add(woken)
        try:
            async with asyncio.timeout(limit):
                while self.phase not in (*phases, Phase.OVER):
                    await woken.wait()
                    woken.clear()
        except TimeoutError:
            return False
        finally:
            self._watchers.discard(woken)
        return True

    def ring(self) -> None:
        self.line.ring(self._now)
        self.handset.flush()

    async def answer(self) -> None:
        """Pick up."""
        if self.phase is Phase.INCOMING:
            local = await self.open_audio()
            self.line.answer(local, self._now)
            self.handset.flush()

    def decline(self, status: int) -> None:
        self.line.decline(status, self._now)
        self.handset.flush()

    def hold(self) -> bool:
        return self._said(self.line.hold(self._now))

    def resume(self) -> bool:
        return self._said(self.line.resume(self._now))

    def hang_up(self) -> None:
        self.line.hang_up(self._now)
        self.handset.flush()

    async def open_audio(self) -> RtpAddress:
        """Take a port pair; where the office is to send its audio."""
        self._media, address = await self.handset.gateway.open_leg(self.handset.host)
        return RtpAddress(address.host, address.port, address.rtcp_port)

    def obey(self, order: str) -> None:
        """Act as if the user did: ``talk`` answers or resumes, ``hold`` holds."""
        if order == "hold":
            self.hold()
        elif self.phase is Phase.INCOMING:
            deed = asyncio.get_running_loop().create_task(self.answer())
            self._deeds.add(deed)
            deed.add_done_callback(self._deeds.discard)
        else:
            self.resume()

    @property
    def _now(self) -> float:
        return self.handset.clock.now()

    def _said(self, done: bool) -> bool:
        self.handset.flush()
        return done

    async def _follow(self) -> None:
        try:
            while self.phase is not Phase.OVER:
                await self._has_changed.wait()
                self._has_changed.clear()
                if self.line.settled is not self._heard and self._media is not None:
                    await self._tune()
                self._wake()
        finally:
            self._wake()
            self.handset.calls.remove(self)
            media, self._media = self._media, None
            if media is not None:
                await self.handset.gateway.close_leg(media)

    def _wake(self) -> None:
        for woken in self._watchers:
            woken.set()

    async def _tune(self) -> None:
        """Send and receive as SDP settled it last."""
        gateway, media, settled = self.handset.gateway, self._media, self.line.settled
        assert media is not None
        was_talking = self._heard is not None and self._heard.flow.sends
        self._heard = settled
        if settled is None:
            return
        await gateway.update_leg(media, leg_plan(settled, self.handset.account.office[0]))
        if settled.flow.sends and not was_talking:
            await gateway.play(media, self.handset.voice, repeat=True)
        elif was_talking and not settled.flow.sends:
            await gateway.stop_playing(media)
