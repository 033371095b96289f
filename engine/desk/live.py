"""What the desk needs of a running office; without an engine there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from engine.core.bus import EventBus
from engine.core.ladder import Ladder
from engine.core.views import (
    CallRecord,
    CallView,
    CertificateView,
    HealthView,
    Lamp,
    LampAudit,
    ParkView,
    PersonView,
    RegistrationView,
    TrunkView,
)
from engine.pbx.service import ServiceFile
from engine.store.configuration import Configuration

if TYPE_CHECKING:
    from engine.pbx.operator import OperatorServices
    from engine.pbx.operator_phone import OperatorPhone


class LiveOffice(Protocol):
    """The running engine as the desk sees it. Every method belongs to the engine's loop."""

    @property
    def bus(self) -> EventBus: ...

    @property
    def revision(self) -> int:
        """Rises with every change of calls, people or registrations."""
        ...

    def calls(self) -> tuple[CallView, ...]:
        """Live calls, oldest first; a call that has not changed is the same object as before."""
        ...

    def ended(self) -> tuple[CallRecord, ...]:
        """The calls that ended in the last seconds, oldest first."""
        ...

    def people(self) -> tuple[PersonView, ...]: ...

    def registrations(self) -> tuple[RegistrationView, ...]: ...
    def trunks(self) -> tuple[TrunkView, ...]: ...

    def camps(self) -> tuple[tuple[str, str], ...]:
        """Who waits for somebody else to be free."""
        ...

    def parked(self) -> tuple[ParkView, ...]:
        """The occupied park slots."""
        ...

    def lamps(self) -> dict[str, Lamp]: ...

    async def audit_lamps(self) -> LampAudit:
        """Compare lamps with the calls there are, and mend what differs."""
        ...

    def health(self) -> HealthView: ...

    async def apply(self, configuration: Configuration) -> None:
        """Work by this configuration from now on; calls that run are not touched."""
        ...

    @property
    def operator(self) -> OperatorServices:
        """Deeds on live calls."""
        ...

    @property
    def operator_phone(self) -> OperatorPhone:
        """What operators do with their own phones."""
        ...

    async def ladder(self, target: str, first: int, limit: int, *, with_secrets: bool = False) -> Ladder:
        """A page of a call's SIP messages; raises ``NotFoundError`` or ``RefusedError``."""
        ...

    async def forget_registrations(self, extension: str, contact: str | None) -> int: ...

    def screen_hits(self) -> dict[int, int]:
        """How many calls each row of the screening list has decided since the start, by its id."""
        ...

    async def services(self) -> tuple[ServiceFile, ...]:
        """Every service there is, each file read anew."""
        ...

    async def check_service(self, service: str, source: bytes) -> str | None:
        """Why this text of a service would not compile; ``None`` when it does."""
        ...

    def touch_mailbox(self, number: str) -> None:
        """Messages came to a box or went."""
        ...

    async def run_service(self, service: str, extension: str, settings: Mapping[str, str]) -> None:
        """Ring an extension for a service; raises ``RefusedError`` when no phone can be reached."""
        ...

    def certificate(self) -> CertificateView:
        """The TLS certificate in force; raises ``RefusedError`` when there is none."""
        ...

    async def reload_certificate(self) -> CertificateView:
        """Read its files again; raises ``RefusedError`` that says what is wrong with them."""
        ...

    def stop(self, drain_s: float) -> None:
        """Ask the engine to end; returns at once."""
        ...
