"""The outside world of an office in memory: carriers that take calls and make them, each at one address."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from engine.sip.digest import Secrets, matches, parse_credentials
from engine.sip.message import Request, make_response
from engine.sip.session.timer import refuse_interval
from engine.sip.transaction.outputs import RequestArrived
from engine.store.outside import Trunk
from tests.unit.pbx.office import OFFICE, REALM, MemoryOffice
from tests.unit.pbx.phone import PORT, MemoryPhone, PhoneCall

CARRIER = "198.51.100.1"
CARRIER_REALM = "carrier"


class MemoryCarrier(MemoryPhone):
    """Whoever is called through it and calls through it, as one phone that needs no login at the office."""

    def __init__(self, office: MemoryOffice, host: str = CARRIER) -> None:
        super().__init__(office.wire, (OFFICE, PORT), REALM, "4930999", "none", host, PORT)
        self.login: tuple[str, str] | None = None
        """User and password that every INVITE and BYE must show."""
        self.requests: list[Request] = []
        """Every INVITE that came."""
        office.phones.append(self)

    def _take_invite(self, arrived: RequestArrived) -> None:
        self.requests.append(arrived.request)
        if self.login is not None and not self._believes(arrived.request):
            response = make_response(arrived.request, 407, to_tag=self._token(4))
            challenge = f'Digest realm="{CARRIER_REALM}", nonce="{self._token(8)}", qop="auth"'
            response.headers.add("Proxy-Authenticate", challenge)
            arrived.transaction.respond(response, self.now)
            return
        refusal = refuse_interval(arrived.request, self.agent.least_expiry)
        if refusal is not None:
            self.agent.respond(arrived, refusal.status, self.now, headers=refusal.headers)
            return
        super()._take_invite(arrived)

    def _believes(self, request: Request) -> bool:
        credentials = parse_credentials(request.headers.get("Proxy-Authorization") or "")
        assert self.login is not None
        user, password = self.login
        if credentials is None or credentials.username != user:
            return False
        return matches(credentials, request.method, Secrets.of(user, CARRIER_REALM, password))

    def dials(self, number: str, caller: str = "<sip:4930999@carrier.test>", **options: Any) -> PhoneCall:
        """A call from outside to one of the office's numbers."""
        return self.call(number, caller=caller, **options)


def connect(office: MemoryOffice, name: str = "line", host: str = CARRIER, **fields: Any) -> None:
    """Configure a trunk, or change it."""
    known = dict(office.configuration.trunks)
    known[name] = Trunk(name, host, **fields)
    office.configure(trunks=MappingProxyType(known))
    office.settle()
