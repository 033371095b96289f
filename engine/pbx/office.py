"""The office: everything that rings, behind the one face that the desk sees."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine import __version__
from engine.core.bus import EventBus
from engine.core.clock import Clock
from engine.core.crew import Crew
from engine.core.errors import NotFoundError, RefusedError
from engine.core.events import AlarmRaised, Event
from engine.core.ids import CallId
from engine.core.ladder import Ladder
from engine.core.networks import AddressList
from engine.core.tokens import TokenSource
from engine.core.views import (
    CallRecord,
    CallView,
    CertificateView,
    HealthView,
    Lamp,
    LampAudit,
    ListenerView,
    ParkView,
    PersonView,
    RegistrationView,
    ReleasedBy,
    TrunkView,
)
from engine.media.gateway import Clip, MediaGateway
from engine.net.endpoint import Endpoint
from engine.net.nat import Nat
from engine.net.resolve import Resolver
from engine.net.tls import TlsIdentity
from engine.net.trust import Trust
from engine.net.web import Web
from engine.pbx.authentication import Authenticator
from engine.pbx.backstage import Backstage
from engine.pbx.bindings import BindingTable
from engine.pbx.call import Release
from engine.pbx.errands import Errand, Errands, summon
from engine.pbx.exchange import Exchange, MediaHost
from engine.pbx.inquiry import Inquiry
from engine.pbx.keeper import Keeper
from engine.pbx.ladder import look_up
from engine.pbx.lamp_auditor import LampAuditor
from engine.pbx.lamps import LampBoard
from engine.pbx.mailing import Mailer
from engine.pbx.messages import count_messages
from engine.pbx.operator import OperatorServices
from engine.pbx.operator_phone import OperatorPhone
from engine.pbx.people import PeopleBoard
from engine.pbx.reach import flow_to_phone
from engine.pbx.reception import Reception
from engine.pbx.registrar import Registrar
from engine.pbx.service import ServiceFile, ServiceHost
from engine.pbx.text_messages import Delivery, TextMessages
from engine.pbx.trace import TracedCall
from engine.pbx.trunks.board import TrunkBoard
from engine.pbx.trunks.keeping import LEAVE_S
from engine.pbx.trunks.surroundings import LineMemory, Surroundings
from engine.pbx.vitals import CollectorPulse, LoopPulse, QuietCollector
from engine.pbx.watched import SLOT, Waiting
from engine.pbx.watchers import Watchers
from engine.sip.agent import AgentOutput, UserAgent
from engine.sip.event.subscription import NotifyDue, Resubscribed, Unsubscribed, WatcherCutOff
from engine.sip.flow import Flow, host_port
from engine.sip.transaction.outputs import RequestArrived, RequestFailed, ResponseArrived, Send
from engine.store.bindings import StoredBinding
from engine.store.configuration import Configuration
from engine.store.subscriptions import StoredSubscription

log = logging.getLogger(__name__)

SWEEP_S = 2.0
ENDED_SHOWN_S = 20.0
"""Longer than any console keeps the row of a call that has ended."""
_MEASURED_AT_ONCE = 50
"""Calls whose quality is asked for before the loop may do something else."""
_WARNINGS_KEPT = 5
_WARNED_S = 600.0


class Office:
    """Owns the agent, the endpoint, the registrar and the calls. Lives on the engine's loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        gateway: MediaGateway,
        configuration: Configuration,
        put_binding: Callable[[StoredBinding], None],
        drop_binding: Callable[[str, str], None],
        record: Callable[[CallRecord], None],
        hold_music: Callable[[], Clip],
        services: ServiceHost,
        keeper: Keeper,
        media_host: MediaHost,
        resolver: Resolver,
        line_memory: LineMemory,
        crew: Crew,
        nat: Nat | None = None,
        put_subscription: Callable[[StoredSubscription], None] = lambda kept: None,
        drop_subscription: Callable[[str, str], None] = lambda call_id, tag: None,
    ) -> None:
        self.bus = EventBus()
        self.clock = clock
        self.gateway = gateway
        self.agent = UserAgent(TokenSource().hex, f"Frontdesk/{__version__}")
        self.endpoint = Endpoint(self.agent, clock, self._hear)
        self.endpoint.on_lost = self._notice_lost
        if nat is not None:
            self.endpoint.nat = nat
        self.endpoint.nat.on_changed = self._readdress
        self._put_binding = put_binding
        self.bindings = BindingTable(self._note_binding, drop_binding)
        self.lamp_board = LampBoard(self.bus, clock, self._lamp_of_phones)
        self.people_board = PeopleBoard(self.lamp_board, self.bindings)
        self.listeners: list[ListenerView] = []
        """Doors that others have opened (SSH, the control socket)."""
        self.tls: TlsIdentity | None = None
        """The certificate that TLS listeners show, when there are any."""
        self.lasting_warnings: list[str] = []
        """What needs a hand as long as this engine runs."""
        self.on_stop: Callable[[float], None] = lambda drain_s: None
        """Called when somebody asks the engine to stop."""
        self._configuration = configuration
        self._started_at = clock.wall()
        self._started = clock.now()
        self._loop_pulse = LoopPulse()
        self._collector_pulse = CollectorPulse()
        self._collector: QuietCollector | None = None
        self._warnings: dict[str, float] = {}
        """What alarms said, and when on the clock."""
        self._garbage_named = 0
        self._crew = crew
        self._sweeping: asyncio.Task[None] | None = None
        authenticator = Authenticator(lambda: self._configuration, self.agent.token)
        self.exchange = Exchange(
            agent=self.agent,
            endpoint=self.endpoint,
            gateway=gateway,
            clock=clock,
            bus=self.bus,
            bindings=self.bindings,
            lamps=self.lamp_board,
            crew=crew,
            record=record,
            hold_music=hold_music,
            services=services,
            keeper=keeper,
            configuration=configuration,
            trunks=TrunkBoard(self._surroundings(resolver, line_memory)),
            web=Web(lambda: self._configuration.params["http_allow"], f"Frontdesk/{__version__}"),
            media_host=media_host,
        )
        self._errands = self.exchange.errands = Errands(self.exchange)
        self.operator_phone = OperatorPhone(self.exchange)
        self._backstage = Backstage(self.exchange)
        self.exchange.note_end = self._backstage.note_end
        self.mailer = Mailer(self.exchange)
        self.exchange.note_message = self.mailer.note_message
        gateway.on_digit = self.exchange.hear_digit
        gateway.on_recording_failed = self.exchange.hear_recording_failed
        self.endpoint.on_failed = self.exchange.trunks.note_lost
        self.endpoint.on_crossing = self.exchange.trace.note
        self.reception = Reception(self.exchange, authenticator)
        self.text_messages = TextMessages(self.exchange, authenticator)
        self.watchers = Watchers(self.exchange, authenticator, put_subscription, drop_subscription)
        self.lamp_board.on_change = self.watchers.touch
        self.lamp_auditor = LampAuditor(self.exchange, self.watchers)
        self.exchange.rooms.on_slot = self._notice_slot
        self.watchers.mailbox = lambda number: Waiting(*count_messages(keeper.folder, number))
        self.operator = OperatorServices(self.exchange)
        self.exchange.touch_mailbox = self.watchers.touch_mailbox
        self.registrar = Registrar(
            agent=self.agent,
            endpoint=self.endpoint,
            clock=clock,
            bus=self.bus,
            authenticator=authenticator,
            bindings=self.bindings,
            crew=crew,
            configuration=configuration,
        )
        self.exchange.trace.budget = configuration.params["trace_mb"] << 20
        self.lamp_board.set_extensions(configuration.extensions)
        self.exchange.trunks.apply(configuration)
        self._apply_lists(configuration)
        self.bus.listen(self._notice)

    def _surroundings(self, resolver: Resolver, memory: LineMemory) -> Surroundings:
        """What outside lines need."""

        def param(name: str) -> Any:
            return self._configuration.params[name]

        return Surroundings(
            agent=self.agent,
            endpoint=self.endpoint,
            clock=self.clock,
            bus=self.bus,
            crew=self._crew,
            resolver=resolver,
            memory=memory,
            param=param,
            trust=Trust(lambda: param("trunk_ca")),
        )

    # -- running ------------------------------------------------------------------------------------------------

    def start(self, stored: list[StoredBinding], watching: Sequence[StoredSubscription] = ()) -> None:
        """Take over stored registrations and subscriptions and begin the regular work; sockets are the app's."""
        self.bindings.restore(stored, self.clock.wall())
        self.registrar.apply(self._configuration)
        for number in self._configuration.extensions:
            self.lamp_board.refresh(number)
        self.watchers.restore(watching)
        self.exchange.trunks.start()
        self.mailer.start()
        self._sweeping = self._crew.start(self._sweep(), "the regular sweep")

    def take_pulse(self) -> None:
        """Begin to measure the loop and the collector: once everything is loaded, which would count as a stall."""
        self._loop_pulse.start()
        self._collector_pulse.start()
        self._collector = QuietCollector()

    async def drain(self, seconds: float) -> None:
        """Take no new calls, let the others end for ``seconds``, then end them; nothing is left afterwards."""
        self.reception.is_open = False
        await self.exchange.wait_until_quiet(seconds)
        for call in list(self.exchange.calls.values()):
            call.post(Release(ReleasedBy.SYSTEM, "503 Engine Stopped"))
        await self.exchange.wait_until_quiet(2.0)
        self._backstage.close()
        await self.exchange.trunks.close(LEAVE_S)

    def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._backstage.close()
        self.mailer.close()
        self._loop_pulse.stop()
        self._collector_pulse.stop()
        self.watchers.close()
        self.endpoint.close()

    # -- what the desk sees -------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        return (
            self.exchange.revision
            + self.exchange.trunks.revision
            + self.lamp_board.revision
            + self.bindings.revision
            + self.people_board.revision
        )

    def calls(self) -> tuple[CallView, ...]:
        return tuple(call.view() for call in self.exchange.calls.values() if call.legs)

    def ended(self) -> tuple[CallRecord, ...]:
        """The calls that ended in the last ``ENDED_SHOWN_S`` seconds, oldest first."""
        ended = self.exchange.ended
        if not ended:
            return ()
        oldest = self.clock.wall() - timedelta(seconds=ENDED_SHOWN_S)
        return tuple(record for record in ended if record.ended_at >= oldest)

    def people(self) -> tuple[PersonView, ...]:
        return self.people_board.views(self._configuration)

    def registrations(self) -> tuple[RegistrationView, ...]:
        return self.bindings.views()

    def trunks(self) -> tuple[TrunkView, ...]:
        return self.exchange.trunks.views()

    def camps(self) -> tuple[tuple[str, str], ...]:
        return self._errands.camps()

    def parked(self) -> tuple[ParkView, ...]:
        return self.exchange.rooms.parked_views()

    def lamps(self) -> dict[str, Lamp]:
        return self.lamp_board.all()

    def health(self) -> HealthView:
        return HealthView(
            version=__version__,
            pid=os.getpid(),
            started_at=self._started_at,
            media_backend=self.gateway.backend,
            media_sessions=self.gateway.sessions,
            media_is_real_time=self.gateway.is_real_time,
            listeners=self._all_listeners(),
            loop_delay_p99_ms=round(self._loop_pulse.p99_ms, 2),
            loop_delay_max_ms=round(self._loop_pulse.max_ms, 2),
            loop_history=self._loop_pulse.history,
            warnings=self._recent_warnings(),
            uptime_s=self.clock.now() - self._started,
            garbage=self.agent.layer.garbage,
            lamps_repaired=self.lamp_auditor.repaired,
            gc=self._collector_pulse.figures(),
            advertised=self.endpoint.nat.addresses,
        )

    # -- what the desk asks -------------------------------------------------------------------------------------

    async def apply(self, configuration: Configuration) -> None:
        """Work by another configuration; calls go on, phones that it has no room for are forgotten."""
        before, self._configuration = self._configuration, configuration
        self.exchange.configuration = configuration
        self.mailer.apply(before, configuration)
        self.exchange.trace.budget = configuration.params["trace_mb"] << 20
        self.lamp_board.set_extensions(configuration.extensions)
        for number, extension in configuration.extensions.items():
            was = before.extensions.get(number)
            if was is not None and was.dnd != extension.dnd:
                self.lamp_board.refresh(number)
        self.registrar.apply(configuration)
        self.exchange.trunks.apply(configuration)
        self._apply_lists(configuration)
        self.watchers.apply(configuration)
        self.endpoint.flush()

    def _apply_lists(self, configuration: Configuration) -> None:
        self.agent.least_expiry = configuration.params["session_min_s"]
        self.exchange.screening.apply(configuration)
        self.endpoint.admit_by(AddressList((each.network, each.is_white) for each in configuration.addresses))

    async def ladder(self, target: str, first: int, limit: int, *, with_secrets: bool = False) -> Ladder:
        """The messages of a call named by its id, live or recent, or of the only or latest call of an extension."""
        traced = self._traced(target)
        if traced is None:
            raise NotFoundError(f"there is no call '{target}'", "see 'frontdesk calls' and 'frontdesk records'")
        return await look_up(self.exchange, traced, first, limit, with_secrets=with_secrets)

    async def forget_registrations(self, extension: str, contact: str | None) -> int:
        return self.registrar.forget(extension, contact, "removed by an operator")

    def screen_hits(self) -> dict[int, int]:
        """How many calls each row of the screening list has decided, by its id."""
        return self.exchange.screening.hits

    async def services(self) -> tuple[ServiceFile, ...]:
        """Every service there is, each file read anew, with its last failure in a call."""
        failed = self.exchange.failed_services
        return tuple(
            replace(file, failed=failed.get(file.name)) if file.name in failed else file
            for file in await self.exchange.services.look()
        )

    async def check_service(self, service: str, source: bytes) -> str | None:
        """Why this text of a service would not compile; ``None`` when it does."""
        return await self.exchange.services.check(service, source)

    def touch_mailbox(self, number: str) -> None:
        """Messages came to a box or went."""
        self.watchers.touch_mailbox(number)
        self.endpoint.flush()

    async def run_service(self, service: str, extension: str, settings: Mapping[str, str]) -> None:
        """Ring an extension for a service."""
        if not self.bindings.of(extension):
            raise RefusedError(f"extension {extension} has no registered phone", "register one, or name another")
        await summon(self.exchange, Errand(extension, service, 0.0, settings))

    async def audit_lamps(self) -> LampAudit:
        """Compare lamps with the calls there are, and mend what differs."""
        return await self.lamp_auditor.audit()

    def certificate(self) -> CertificateView:
        return self._demand_tls().view()

    async def reload_certificate(self) -> CertificateView:
        tls = self._demand_tls()
        await tls.reload()
        return tls.view()

    def _demand_tls(self) -> TlsIdentity:
        if self.tls is None:
            raise RefusedError("the engine does not listen for TLS", "start it with --tls HOST:PORT")
        return self.tls

    def stop(self, drain_s: float) -> None:
        self.on_stop(drain_s)

    def _traced(self, target: str) -> TracedCall | None:
        trace = self.exchange.trace
        traced = trace.find(CallId(target))
        if traced is None and self.lamp_board.calls_of(target):
            traced = trace.find(self.operator.call_named(target).id)
        return traced or trace.latest_of(target)

    # -- what comes up from SIP ---------------------------------------------------------------------------------

    def _hear(self, output: AgentOutput) -> None:
        match output:
            case RequestArrived():
                if output.request.method == "REGISTER":
                    self.registrar.receive(output)
                elif output.request.method == "MESSAGE":
                    self.text_messages.receive(output)
                elif output.request.method == "SUBSCRIBE":
                    self.watchers.receive(output)
                else:
                    self.reception.receive(output)
            case ResponseArrived() | RequestFailed():
                user = output.transaction.user
                if isinstance(user, (Inquiry, Delivery)):
                    user.take(output)
            case Resubscribed() | NotifyDue() | Unsubscribed() | WatcherCutOff():
                self.watchers.take(output)
            case Send():
                pass  # the endpoint keeps what is to be sent
            case _:
                leg = output.session.user
                if leg is not None:
                    leg.post(output)

    # -- regular work -------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Every few seconds: expired registrations, the quality of calls."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                self._follow_clock()
                self._name_garbage()
                self.registrar.sweep()
                self.watchers.sweep()
                await self.lamp_auditor.look()
                self._errands.look()
                self._backstage.look()
                for count, call in enumerate(list(self.exchange.calls.values()), 1):
                    await call.measure()
                    if count % _MEASURED_AT_ONCE == 0:
                        await asyncio.sleep(0)
                if self._collector is not None:
                    self._collector.look(self.clock.now(), is_quiet=not self.exchange.calls)
            except Exception:
                log.exception("the regular sweep failed; it goes on")

    def _follow_clock(self) -> None:
        """Setting the machine's clock ends no registration and makes no call longer or shorter."""
        jump = self.clock.follow()
        if not jump:
            return
        way = "forward" if jump > timedelta() else "back"
        far = timedelta(seconds=round(abs(jump).total_seconds()))
        log.warning("the machine's clock was set %s by %s; registrations and calls keep their time", way, far)
        self._started_at += jump
        self.bindings.shift(jump)
        self.lamp_board.shift(jump)
        self.exchange.trunks.shift(jump)
        for call in self.exchange.calls.values():
            call.shift(jump)

    def _name_garbage(self) -> None:
        """One line for all that has come since the last look."""
        layer = self.agent.layer
        if layer.garbage > self._garbage_named and layer.garbage_from is not None:
            count, self._garbage_named = layer.garbage - self._garbage_named, layer.garbage
            log.warning(
                "%d datagrams that are no SIP were dropped, the last from %s", count, layer.garbage_from.remote
            )

    def _notice(self, event: Event) -> None:
        if isinstance(event, AlarmRaised):
            self._warnings[event.text] = self.clock.now()
        extension = getattr(event, "extension", None)
        if extension is not None and event.name.startswith("registration."):
            self.lamp_board.refresh(extension)

    def _readdress(self) -> None:
        """Peers outside must be told another address of ours: lines register anew, calls are told of it."""
        self.exchange.trunks.readdress()
        for call in [*self.exchange.calls.values()]:
            call.readdress()
        self.watchers.readdress()
        self.endpoint.flush()

    def _notice_slot(self, slot: str) -> None:
        self.watchers.touch(SLOT + slot)

    def _note_binding(self, phone: StoredBinding) -> None:
        """A phone registered, or refreshed."""
        self._put_binding(phone)
        if phone.transport != "UDP":
            self.watchers.follow(phone)

    def _notice_lost(self, lost: Set[Flow]) -> None:
        """Phones whose connections are gone."""
        places = {(flow.local, flow.remote_host, flow.remote_port) for flow in lost}
        for phone in self.bindings:
            local = (phone.transport, phone.local_host, phone.local_port)
            if (local, phone.source_host, phone.source_port) in places:
                self.lamp_board.refresh(phone.extension)

    def _lamp_of_phones(self, number: str) -> Lamp:
        """What an extension without calls shows."""
        phones = self.bindings.of(number)
        if not phones:
            return Lamp.UNREGISTERED
        extension = self._configuration.extensions.get(number)
        if extension is not None and extension.dnd:
            return Lamp.DND
        for phone in phones:
            if phone.transport == "UDP" or flow_to_phone(self.endpoint, phone) is not None:
                return Lamp.IDLE
        return Lamp.UNREACHABLE

    def _recent_warnings(self) -> tuple[str, ...]:
        """What alarms said lately; what lasts, like a full disk, the desk knows from whom it concerns."""
        oldest = self.clock.now() - _WARNED_S
        self._warnings = {text: at for text, at in self._warnings.items() if at >= oldest}
        return (*self.lasting_warnings, *self.mailer.warnings, *tuple(self._warnings)[-_WARNINGS_KEPT:])

    def _all_listeners(self) -> tuple[ListenerView, ...]:
        sip = (ListenerView(kind.lower(), host_port(host, port)) for kind, host, port in self.endpoint.listeners)
        return (*sip, *self.listeners)
