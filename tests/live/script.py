"""Scripts for sipp, put together from steps: who is outside says and hears exactly this."""

from __future__ import annotations

from itertools import count

_OFFICE = "sip:[service]@[remote_ip]:[remote_port]"
SDP = """v=0
o=- 1 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a={direction}
"""


def sdp(direction: str = "sendrecv", version: int = 1) -> str:
    return SDP.format(direction=direction, version=version)


class Caller:
    """The steps of somebody who calls the office."""

    def __init__(self, number: str = "4930999", name: str = "Weber") -> None:
        self._from = f'"{name}" <sip:{number}@[local_ip]>;tag=[pid]c[call_number]'
        self._contact = f"<sip:{number}@[local_ip]:[local_port]>"
        self._numbers = count(1)
        self.steps: list[str] = []

    def invite(self, fields: str = "", body: str | None = None, *, from_field: str | None = None) -> Caller:
        """The first INVITE of the dialog; ``body`` "" is a late offer."""
        self._from = from_field or self._from
        return self._request(
            "INVITE", "sip:[service]@[remote_ip]:[remote_port]", fields, sdp() if body is None else body
        )

    def request(self, method: str, fields: str = "", body: str = "") -> Caller:
        """A further request in the dialog."""
        return self._request(method, "[next_url]", fields, body)

    def ack(self, body: str = "", *, number: int | None = None) -> Caller:
        self._send("ACK", "[next_url]", "", body, number or self._number, to_tag=True, retrans=False)
        return self

    def hears(self, status: int, *, optional: bool = False, rrs: bool = False, **checks: str) -> Caller:
        self.steps.append(_recv(f'response="{status}"', optional, rrs, checks))
        return self

    def refused(self, status: int) -> Caller:
        """A final failure of the INVITE, and its ACK."""
        self.steps.append(_recv(f'response="{status}"', False, False, {}))
        self._send(
            "ACK", "sip:[service]@[remote_ip]:[remote_port]", "", "", self._number, to_tag=True, retrans=False
        )
        return self

    def asked(self, method: str, **checks: str) -> Caller:
        self.steps.append(_recv(f'request="{method}"', False, False, checks))
        return self

    def says(self, status: str, fields: str = "", body: str = "") -> Caller:
        """An answer to what was asked last."""
        self.steps.append(_answer(status, fields, body, ""))
        return self

    def waits(self, milliseconds: int) -> Caller:
        self.steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    def is_hung_up_on(self, **checks: str) -> str:
        return self.asked("BYE", **checks).says("200 OK").script()

    def hangs_up(self) -> str:
        return self.request("BYE").hears(200).script()

    def script(self) -> str:
        return _script(self.steps)

    def _request(self, method: str, uri: str, fields: str, body: str) -> Caller:
        self._number = next(self._numbers)
        self._send(method, uri, fields, body, self._number, to_tag=uri == "[next_url]", retrans=True)
        return self

    def _send(
        self, method: str, uri: str, fields: str, body: str, number: int, *, to_tag: bool, retrans: bool
    ) -> None:
        tag = "[peer_tag_param]" if to_tag else ""
        lines = [
            f"{method} {uri} SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            "Max-Forwards: 70",
            f"From: {self._from}",
            f"To: <sip:[service]@[remote_ip]>{tag}",
            *(["[routes]"] if to_tag else []),
            "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            f"Contact: {self._contact}",
        ]
        self.steps.append(_send(lines, fields, body, retrans=retrans))


class Callee:
    """The steps of somebody who is called; its dialog may be one of several."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._numbers = count(1)
        self._has_begun = False

    def asked(self, method: str, **checks: str) -> Callee:
        if method == "INVITE" and not self._has_begun:
            self._has_begun = True
            self.steps.append(_recv('request="INVITE"', False, True, checks, keep=("From", "To", "Via", "CSeq")))
        else:
            self.steps.append(_recv(f'request="{method}"', False, False, checks))
        return self

    def says(self, status: str, fields: str = "", body: str = "", *, tag: str = "o") -> Callee:
        """An answer to what was asked last; of an INVITE it makes a dialog with ``tag``."""
        self.steps.append(_answer(status, fields, body, f";tag=[pid]{tag}[call_number]"))
        return self

    def answers(self, fields: str = "") -> Callee:
        """Ring, and answer the call."""
        return self.asked("INVITE").says("180 Ringing").says("200 OK", fields, sdp()).asked("ACK")

    def confirms(self, status: str = "200 OK", fields: str = "", body: str = "") -> Callee:
        """An answer within the dialog."""
        self.steps.append(_answer(status, fields, body, ""))
        return self

    def crossed(self) -> Callee:
        """A re-INVITE that is not answered before a request of ours was."""
        self.steps.append(_recv('request="INVITE"', False, False, {}, keep=("Via", "CSeq"), prefix="crossed"))
        return self

    def says_later(self, status: str, fields: str = "", body: str = "", *, to: str = "kept") -> Callee:
        """An answer to the first INVITE, or to the one that ``crossed`` ours, whatever came since."""
        lines = [
            f"SIP/2.0 {status}",
            f"Via:[${to}_via]",
            "From:[$kept_from]",
            "To:[$kept_to];tag=[pid]o[call_number]",
            "Call-ID: [call_id]",
            f"CSeq:[${to}_cseq]",
            "Contact: <sip:outside@[local_ip]:[local_port]>",
        ]
        self.steps.append(_send(lines, fields, body, retrans=status.startswith("2")))
        return self

    def refused(self, status: int) -> Callee:
        """A failure of our re-INVITE that was sent just before, and its ACK."""
        self.hears(status)
        self._say("ACK", "", "", branch="[branch-2]")
        return self

    def request(self, method: str, fields: str = "", body: str = "") -> Callee:
        """A request of the callee in its dialog."""
        self._number = next(self._numbers)
        self._say(method, fields, body)
        return self

    def ack(self) -> Callee:
        """Of its own last re-INVITE."""
        self._say("ACK", "", "")
        return self

    def _say(self, method: str, fields: str, body: str, branch: str = "[branch]") -> None:
        lines = [
            f"{method} [next_url] SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
            "Max-Forwards: 70",
            "From:[$kept_to];tag=[pid]o[call_number]",
            "To:[$kept_from]",
            "Call-ID: [call_id]",
            f"CSeq: {self._number} {method}",
            "Contact: <sip:outside@[local_ip]:[local_port]>",
        ]
        self.steps.append(_send(lines, fields, body, retrans=method != "ACK"))

    def hears(self, status: int) -> Callee:
        self.steps.append(_recv(f'response="{status}"', False, False, {}))
        return self

    def waits(self, milliseconds: int) -> Callee:
        self.steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    def is_hung_up_on(self, **checks: str) -> str:
        return self.asked("BYE", **checks).confirms().script()

    def script(self) -> str:
        return _script(self.steps)


def _script(steps: list[str]) -> str:
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', '<scenario name="script">', *steps, "</scenario>"])


def _recv(
    what: str, optional: bool, rrs: bool, checks: dict[str, str], keep: tuple[str, ...] = (), prefix: str = "kept"
) -> str:
    """One message; each check names a header (``session_expires``) and what it must match."""
    options = (' optional="true"' if optional else "") + (' rrs="true"' if rrs else "")
    if not checks and not keep:
        return f"<recv {what}{options}/>"
    actions = [
        f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{prefix}_{name.lower()}"/>' for name in keep
    ]
    for index, (name, pattern) in enumerate(checks.items()):
        header = "-".join(part.capitalize() for part in name.split("_")) + ":"
        shown = pattern.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        actions.append(
            f'<ereg regexp="{shown}" search_in="hdr" header="{header}" check_it="true" assign_to="check{index}"/>'
        )
    names = ",".join(
        [f"check{index}" for index in range(len(checks))] + [f"{prefix}_{name.lower()}" for name in keep]
    )
    actions_text = "".join(actions)
    return f'<recv {what}{options}><action>{actions_text}</action></recv>\n<Reference variables="{names}"/>'


def _send(lines: list[str], fields: str, body: str, *, retrans: bool) -> str:
    kind = ["Content-Type: application/sdp"] if body and "Content-Type:" not in fields else []
    extra = [line for line in fields.split("\n") if line]
    text = "\n".join([*lines, *extra, *kind, "Content-Length: [len]", "", body])
    option = ' retrans="500"' if retrans else ""
    return f"<send{option}>\n<![CDATA[\n{text}\n]]>\n</send>"


def _answer(status: str, fields: str, body: str, tag: str) -> str:
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_From:]",
        f"[last_To:]{tag}",
        "[last_Call-ID:]",
        "[last_CSeq:]",
        "[last_Record-Route:]",
        "Contact: <sip:outside@[local_ip]:[local_port]>",
    ]
    return _send(lines, fields, body, retrans=status.startswith("2") and bool(body))
