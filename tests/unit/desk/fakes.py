"""An office without phones, for tests of the desk and the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.core.bus import EventBus
from engine.core.errors import NotFoundError
from engine.core.ids import CallId
from engine.core.views import (
    CallRecord,
    CallState,
    CallView,
    HealthView,
    Lamp,
    ListenerView,
    PartyRole,
    PartyState,
    PartyView,
    PersonView,
    QualityView,
    RegistrationView,
)
from engine.desk.commands import StatusReport
from engine.store.configuration import Configuration

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_call(call: str = "7f3a") -> CallView:
    return CallView(
        id=CallId(call),
        state=CallState.TALKING,
        caller="101",
        callee="102",
        caller_name="Anna",
        callee_name=None,
        started_at=START,
        answered_at=START + timedelta(seconds=5),
        parties=(
            PartyView("101", PartyRole.CALLER, "PCMA", PartyState.TALKING, QualityView(4.4, 0.0, 2.0)),
            PartyView("102", PartyRole.CALLEE, "PCMA", PartyState.TALKING),
        ),
        quality=QualityView(4.4, 0.0, 2.0),
    )


def a_registration(extension: str = "101") -> RegistrationView:
    return RegistrationView(
        extension=extension,
        contact=f"sip:{extension}@127.6.0.1:5070",
        device="urn:uuid:1",
        source="127.6.0.1:5070",
        transport="udp",
        expires_at=START + timedelta(minutes=30),
        user_agent="baresip",
    )


class FakeOffice:
    """Says what it was told to say and remembers what it was asked to do."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.revision = 1
        self.live_calls: tuple[CallView, ...] = (a_call(),)
        self.phones: tuple[RegistrationView, ...] = (a_registration(),)
        self.applied: list[Configuration] = []
        self.released: list[tuple[str, int | None]] = []
        self.stopped: list[float] = []
        self.looks = 0

    def calls(self) -> tuple[CallView, ...]:
        self.looks += 1
        return self.live_calls

    def ended(self) -> tuple[CallRecord, ...]:
        return ()

    def people(self) -> tuple[PersonView, ...]:
        return (PersonView("101", "Anna", Lamp.BUSY, None, CallId("7f3a"), 1),)

    def registrations(self) -> tuple[RegistrationView, ...]:
        return self.phones

    def lamps(self) -> dict[str, Lamp]:
        return {"101": Lamp.BUSY, "102": Lamp.UNREGISTERED}

    def health(self) -> HealthView:
        return HealthView("0.1.0", 4711, START, "native", 2, (ListenerView("udp", "127.6.0.9:5060"),), 1.5, 9.0)

    def status(self) -> StatusReport:
        return StatusReport(
            version="0.1.0",
            uptime_s=61.5,
            pid=4711,
            calls=len(self.live_calls),
            registrations=len(self.phones),
            trunks=0,
            media_backend="native",
            media_sessions=2,
            media_is_real_time=True,
            listeners=(("udp", "127.6.0.9:5060"),),
            loop_delay_p99_ms=1.5,
            loop_delay_max_ms=9.0,
            gc={"count": 3, "max_ms": 2.5, "total_ms": 4.0},
        )

    async def apply(self, configuration: Configuration) -> None:
        self.applied.append(configuration)

    async def release_call(self, target: str, revision: int | None) -> CallId:
        for call in self.live_calls:
            if target in (call.id, call.caller, call.callee):
                self.released.append((target, revision))
                self.live_calls = ()
                self.revision += 1
                return call.id
        raise NotFoundError(f"there is no call '{target}'", "see 'frontdesk calls'")

    async def forget_registrations(self, extension: str, contact: str | None) -> int:
        gone = [p for p in self.phones if p.extension == extension and contact in (None, p.contact)]
        self.phones = tuple(phone for phone in self.phones if phone not in gone)
        return len(gone)

    def stop(self, drain_s: float) -> None:
        self.stopped.append(drain_s)

    def change_call(self) -> None:
        self.live_calls = tuple(replace(call, revision=call.revision + 1) for call in self.live_calls)
        self.revision += 1
