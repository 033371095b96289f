"""A phone that watches others: it subscribes, refreshes, and reads what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

from engine.sip.headers import Headers, tag_of
from engine.sip.message import Request
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone

SPACE = "{urn:ietf:params:xml:ns:dialog-info}"


@dataclass
class Told:
    """One dialog-info document."""

    version: int
    state: str
    entity: str
    dialogs: list[dict[str, str]]

    @classmethod
    def read(cls, body: bytes) -> Told:
        root = ElementTree.fromstring(body)
        assert root.tag == f"{SPACE}dialog-info"
        dialogs = []
        for each in root:
            shown = dict(each.attrib) | {"state": each.findtext(f"{SPACE}state") or ""}
            remote = each.find(f"{SPACE}remote/{SPACE}identity")
            if remote is not None:
                shown["remote"] = remote.text or ""
                shown["name"] = remote.get("display") or ""
            if each.find(f"{SPACE}local/{SPACE}target/{SPACE}param") is not None:
                shown["held"] = "yes"
            dialogs.append(shown)
        return cls(int(root.attrib["version"]), root.attrib["state"], root.attrib["entity"], dialogs)

    @property
    def states(self) -> list[str]:
        return [shown["state"] for shown in self.dialogs]


@dataclass
class Watcher:
    """One subscription as its phone lives it."""

    office: MemoryOffice
    phone: MemoryPhone
    number: str
    event: str = "dialog"
    call_id: str = ""
    tag: str = "watching"
    cseq: int = 0
    to_tag: str | None = None
    extra: tuple[tuple[str, str], ...] = field(default=())

    def subscribe(self, expires: int | None = 3600, *, authorise: bool = True) -> int:
        """Send a SUBSCRIBE, answer its challenge; the final status."""
        phone = self.phone
        phone.watches = True
        self.call_id = self.call_id or f"watch-{self.number}-{self.event}@{phone.host}"
        value: str | None = None
        for _ in range(2):
            request = self._request(expires, value)
            phone.agent.send_request(request, phone.flow, phone.now, phone)
            self.office.settle()
            answer = phone.last
            if answer.status != 407 or not authorise:
                break
            value = phone.credentials(answer, request, phone.number)
        if answer.status == 200:
            self.to_tag = tag_of(answer.headers.get("To") or "")
        return answer.status

    def _request(self, expires: int | None, value: str | None) -> Request:
        self.cseq += 1
        uri = f"sip:{self.number}@{OFFICE}"
        to = f"<{uri}>" + (f";tag={self.to_tag}" if self.to_tag else "")
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.phone.number}@{OFFICE}>;tag={self.tag}"),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} SUBSCRIBE"),
            ("Contact", f"<{self.phone.contact}>"),
            *((("Event", self.event),) if self.event else ()),
            *((("Expires", str(expires)),) if expires is not None else ()),
            *((("Proxy-Authorization", value),) if value else ()),
            *self.extra,
        ]
        return Request("SUBSCRIBE", uri, Headers(fields))

    @property
    def notified(self) -> list[Request]:
        return [notify for notify in self.phone.notified if notify.call_id == self.call_id]

    @property
    def told(self) -> list[Told]:
        """Every dialog-info document, oldest first."""
        return [Told.read(notify.body) for notify in self.notified if notify.body]

    @property
    def last(self) -> Told:
        return self.told[-1]
