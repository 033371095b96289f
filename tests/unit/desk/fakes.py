"""An office without phones, for tests of the desk and the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.core.bus import EventBus
from engine.core.deeds import Deed
from engine.core.errors import NotFoundError, RefusedError
from engine.core.ids import CallId
from engine.core.ladder import Ladder, LadderLeg, LadderMessage, MediaView, StreamView
from engine.core.views import (
    CallRecord,
    CallState,
    CallView,
    CertificateView,
    HealthView,
    Lamp,
    LampAudit,
    ListenerView,
    ParkView,
    PartyRole,
    PartyState,
    PartyView,
    PersonView,
    QualityView,
    RegistrationView,
    TrunkState,
    TrunkView,
)
from engine.desk.commands import StatusReport
from engine.pbx.operator import Acting
from engine.pbx.service import ServiceFile, ServiceHost
from engine.store.configuration import Configuration, Extension

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


def a_certificate(subject: str, *, is_own: bool) -> CertificateView:
    return CertificateView(subject, START, "AB:CD", "/office/tls/cert.pem", "/office/tls/key.pem", is_own)


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


def a_ladder(call: str = "7f3a", start: datetime = START, first: int = 0, limit: int = 1000) -> Ladder:
    """A call from its challenge to its answer; the caller is 101, the called phone 102."""
    told: tuple[tuple[int, bool, str, str, str], ...] = (
        (0, False, "INVITE", "INVITE", "sdp"), (0, True, "407 Proxy Authentication Required", "INVITE", ""),
        (0, False, "ACK", "ACK", ""), (0, False, "INVITE", "INVITE", "sdp auth"),
        (0, True, "100 Trying", "INVITE", ""),
        (1, True, "INVITE", "INVITE", "sdp"), (1, True, "INVITE", "INVITE", "sdp again"),
        (1, False, "180 Ringing", "INVITE", ""), (0, True, "180 Ringing", "INVITE", ""),
        (1, False, "200 OK", "INVITE", "sdp"), (1, True, "ACK", "ACK", ""), (0, True, "200 OK", "INVITE", "sdp"),
        (0, False, "ACK", "ACK", ""),
    )  # fmt: skip
    peers = (("192.0.2.20", 5060), ("192.0.2.21", 5062))
    messages = tuple(
        LadderMessage(
            number=number,
            at=start + timedelta(milliseconds=137 * number),
            leg=leg,
            is_sent=is_sent,
            transport="UDP",
            local=("192.0.2.10", 5060),
            remote=peers[leg],
            data=_sip(title, method, f"{call}-{leg}", marks),
            title=title,
            method=method,
            has_sdp="sdp" in marks,
            has_credentials="auth" in marks,
            is_resent="again" in marks,
        )
        for number, (leg, is_sent, title, method, marks) in enumerate(told)
    )
    media = MediaView(
        StreamView(6700, 13, 0.2, 2.4, 4.3), StreamView(6712, 0, 0.0, 1.1, 4.4), ("192.0.2.20", 40000), 12.5, 3
    )
    return Ladder(
        call=CallId(call), caller="101", callee="102", started_at=start, answered_at=start + timedelta(seconds=1),
        ended_at=None, state=CallState.TALKING, released_by=None, cause=None, revision=1,
        legs=(
            LadderLeg("101", "Anna", PartyRole.CALLER, PartyState.TALKING, "UDP", peers[0], "PCMA", media),
            LadderLeg("102", "Bo Chen 陈波", PartyRole.CALLEE, PartyState.TALKING, "UDP", peers[1], "PCMA", media),
        ),
        messages=messages[first : first + limit], total=len(messages), left_out=0,
    )  # fmt: skip


def _sip(title: str, method: str, sip_id: str, marks: str) -> bytes:
    start = f"SIP/2.0 {title}" if title[0].isdigit() else f"{method} sip:102@office SIP/2.0"
    head = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-d8754z-1f3a;rport",
        'From: "Anna" <sip:101@office>;tag=8f1c',
        "To: <sip:102@office>",
        f"Call-ID: {sip_id}",
        f"CSeq: 2 {method}",
    ]
    if "auth" in marks:
        head.append('Proxy-Authorization: Digest username="101", realm="office", response="****************"')
    body = ""
    if "sdp" in marks:
        head.append("Content-Type: application/sdp")
        body = (
            "v=0\r\no=- 17 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
        )
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]).encode()


class FakeOffice:
    """Says what it was told to say and remembers what it was asked to do."""

    def __init__(self) -> None:
        self.hits: dict[int, int] = {}
        self.host: ServiceHost | None = None
        """Whoever runs services."""
        self.bus = EventBus()
        self.revision = 1
        self.live_calls: tuple[CallView, ...] = (a_call(),)
        self.phones: tuple[RegistrationView, ...] = (a_registration(),)
        self.applied: list[Configuration] = []
        self.released: list[tuple[str, int | None]] = []
        self.transferred: list[tuple[str, str, str | None]] = []
        self.deeds: list[tuple[object, ...]] = []
        self.stopped: list[float] = []
        self.looks = 0
        self.ladders: list[tuple[str, int, bool]] = []
        """What was asked of the trace: whose call, from which message on, with secrets."""
        self.shown_certificate: CertificateView | None = None
        self.next_certificate: CertificateView | None = None
        """What a look at the files finds."""

    def calls(self) -> tuple[CallView, ...]:
        self.looks += 1
        return self.live_calls

    def ended(self) -> tuple[CallRecord, ...]:
        return ()

    def people(self) -> tuple[PersonView, ...]:
        return (PersonView("101", "Anna", Lamp.BUSY, None, CallId("7f3a"), 1),)

    def registrations(self) -> tuple[RegistrationView, ...]:
        return self.phones

    def trunks(self) -> tuple[TrunkView, ...]:
        return (TrunkView("carrier", TrunkState.REGISTERED, max_out=4),)

    def camps(self) -> tuple[tuple[str, str], ...]:
        return ()

    def parked(self) -> tuple[ParkView, ...]:
        return ()

    async def audit_lamps(self) -> LampAudit:
        return LampAudit(lamps=2, subscriptions=1, repaired=("the lamp of 101 showed busy instead of idle",))

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

    @property
    def operator(self) -> FakeOperator:
        return FakeOperator(self)

    async def ladder(self, target: str, first: int, limit: int, *, with_secrets: bool = False) -> Ladder:
        for call in self.live_calls:
            if target in (call.id, call.caller):
                self.ladders.append((target, first, with_secrets))
                return a_ladder(call.id, START, first, min(limit, 5))
        raise NotFoundError(f"there is no call '{target}'", "see 'frontdesk calls'")

    async def forget_registrations(self, extension: str, contact: str | None) -> int:
        gone = [p for p in self.phones if p.extension == extension and contact in (None, p.contact)]
        self.phones = tuple(phone for phone in self.phones if phone not in gone)
        return len(gone)

    def screen_hits(self) -> dict[int, int]:
        return dict(self.hits)

    async def services(self) -> tuple[ServiceFile, ...]:
        return await self.host.look() if self.host else ()

    async def check_service(self, service: str, source: bytes) -> str | None:
        return await self.host.check(service, source) if self.host else None

    def certificate(self) -> CertificateView:
        if self.shown_certificate is None:
            raise RefusedError("the engine does not listen for TLS", "start it with --tls HOST:PORT")
        return self.shown_certificate

    async def reload_certificate(self) -> CertificateView:
        if self.next_certificate is not None:
            self.shown_certificate = self.next_certificate
        return self.certificate()

    def stop(self, drain_s: float) -> None:
        self.stopped.append(drain_s)

    def change_call(self) -> None:
        self.live_calls = tuple(replace(call, revision=call.revision + 1) for call in self.live_calls)
        self.revision += 1


class FakeOperator:
    """Notes which deeds were asked for."""

    def __init__(self, office: FakeOffice) -> None:
        self._office = office

    def _call(self, target: str) -> CallId:
        for call in self._office.live_calls:
            if target in (call.id, call.caller, call.callee):
                return call.id
        raise NotFoundError(f"there is no call '{target}'", "see 'frontdesk calls'")

    async def release(self, target: str, revision: int | None, acting: Extension | None = None) -> CallId:
        call = self._call(target)
        self._office.released.append((target, revision))
        self._office.live_calls = ()
        self._office.revision += 1
        return call

    async def transfer(self, target: str, number: str, acting: Extension | None, revision: int | None) -> CallId:
        call = self._call(target)
        self._office.transferred.append((target, number, acting.number if acting else None))
        return call

    async def park(self, target: str, slot: str | None, acting: Extension | None, revision: int | None) -> str:
        self._office.deeds.append(("park", self._call(target), slot, acting.number if acting else None))
        return slot or "1"

    async def record(self, target: str, acting: Acting, revision: int | None) -> str | None:
        self._office.deeds.append(("record", self._call(target), acting.who))
        return "/office/recordings/1.wav"

    async def supervise(
        self, deed: Deed, target: str, side: str | None, acting: Acting, revision: int | None
    ) -> CallId:
        call = self._call(target)
        self._office.deeds.append((deed.value, call, side, acting.phone.number))
        return call

    async def override(self, target: str, acting: Acting) -> None:
        self._office.deeds.append(("override", target, acting.phone.number, acting.reason))

    async def pull(self, target: str, acting: Acting, revision: int | None) -> CallId:
        call = self._call(target)
        self._office.deeds.append(("pull", call, acting.phone.number))
        return call

    async def pick_up(self, target: str, acting: Acting, revision: int | None) -> CallId:
        call = self._call(target)
        self._office.deeds.append(("pickup", call, acting.phone.number))
        return call
