"""A phone that watches others: it subscribes, refreshes, and reads what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from xml.etree import ElementTree

from engine.sip.headers import Headers, tag_of
from engine.sip.message import Request
from tests.unit.pbx.office import OFFICE, MemoryOffice
from tests.unit.pbx.phone import MemoryPhone
from tests.unit.sip.schemas import check

SPACE = "{urn:ietf:params:xml:ns:dialog-info}"
RLMI = "{urn:ietf:params:xml:ns:rlmi}"
LISTS = (
    ("Supported", "eventlist"),
    ("Accept", "application/dialog-info+xml, application/rlmi+xml, multipart/related"),
)


@dataclass
class Told:
    """One dialog-info document."""

    version: int
    state: str
    entity: str
    dialogs: list[dict[str, str]]

    @classmethod
    def read(cls, body: bytes) -> Told:
        check("application/dialog-info+xml", body)
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
class ListTold:
    """One NOTIFY about a list: its version, and a document for each resource by the user part of its URI."""

    version: int
    is_full: bool
    uri: str
    titles: dict[str, str]
    documents: dict[str, bytes]
    size: int

    @classmethod
    def read(cls, notify: Request) -> ListTold:
        assert notify.headers.get("Require") == "eventlist"
        head = f"Content-Type: {notify.headers.get('Content-Type')}\r\n\r\n"
        whole = message_from_bytes(head.encode() + notify.body)
        assert not whole.defects
        parts = {part["Content-ID"].strip("<>"): part for part in whole.get_payload()}
        start = str(whole.get_param("start")).strip("<>")
        assert whole.get_param("type") == parts[start].get_content_type() == "application/rlmi+xml"
        rlmi = parts.pop(start).get_payload(decode=True)
        check("application/rlmi+xml", rlmi)
        root = ElementTree.fromstring(rlmi)
        titles, documents = {}, {}
        for resource in root:
            user = resource.attrib["uri"].removeprefix("sip:").partition("@")[0]
            (instance,) = resource.findall(f"{RLMI}instance")
            part = parts.pop(instance.attrib["cid"])
            titles[user] = resource.findtext(f"{RLMI}name") or ""
            documents[user] = part.get_payload(decode=True)
            check(part.get_content_type(), documents[user])
        assert not parts
        version, is_full = int(root.attrib["version"]), root.attrib["fullState"] == "true"
        return cls(version, is_full, root.attrib["uri"], titles, documents, len(notify.encode()))

    def states(self) -> dict[str, list[str]]:
        """Of dialog-info documents, by resource."""
        return {user: Told.read(document).states for user, document in self.documents.items()}


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
    def lists(self) -> list[ListTold]:
        """Every NOTIFY about a list, oldest first."""
        return [ListTold.read(notify) for notify in self.notified if notify.body]

    @property
    def last(self) -> Told:
        return self.told[-1]
