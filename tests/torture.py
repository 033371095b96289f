"""The torture messages of RFC 4475 and RFC 5118 and what this office makes of each: one table for all tests."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "torture"


class Verdict(Enum):
    """What becomes of a message, whatever the answer is."""

    ACCEPT = "accept"
    """Understood: challenged, served, or answered with what a well-formed request of its kind gets."""
    REJECT = "reject"
    """Refused for what it is."""
    DROP = "drop"
    """Counted and never answered."""


class Left(Enum):
    """How a message leaves the TCP connection that brought it."""

    READY = "ready for the next message"
    AMID = "waiting for the rest of one"
    LOST = "closed: nobody knows where the next message begins (RFC 3261 section 18.3)"


@dataclass(frozen=True, slots=True)
class Torture:
    """One message; ``answer`` is the status that a stranger gets over UDP, 0 for none."""

    name: str
    verdict: Verdict
    answer: int
    phrase: str = ""
    """The reason phrase, where it is not that of the RFC."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header fields that the answer must have."""
    stream: tuple[int, ...] | None = None
    """The answers over TCP in their order, where they are not the one over UDP."""
    left: Left = Left.READY
    """What becomes of the TCP connection."""
    served: int = 0
    """The final status once somebody with the right password sends it, where anybody could."""
    note: str = ""
    """Why, where the index says something else or leaves it open."""

    @property
    def path(self) -> Path:
        if self.name.endswith(".dat"):
            return FOLDER / "rfc4475" / self.name
        return FOLDER / "rfc5118_wire" / f"{self.name}.dat"

    @property
    def stream_answers(self) -> tuple[int, ...]:
        """The statuses that a stranger gets over TCP."""
        if self.stream is not None:
            return self.stream
        return (self.answer,) if self.answer else ()

    def data(self) -> bytes:
        """The message as one datagram: the one whose header the archive does not end gets its end."""
        data = self.path.read_bytes()
        return data if self.name != "baddn.dat" else data + b"\r\n"


A, R, D = Verdict.ACCEPT, Verdict.REJECT, Verdict.DROP
_ALLOW = (("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, MESSAGE, REFER, INFO, SUBSCRIBE"),)
_SDP = (("Accept", "application/sdp"),)
_TAGS = "nothingSupportsThis, nothingSupportsThisEither, noProxiesSupportThis, norDoAnyProxiesSupportThis"

TORTURE: tuple[Torture, ...] = (
    # RFC 4475 section 3.1.1: valid
    Torture("wsinv.dat", A, 481, note="its To has the tag of a dialog that nobody here has"),
    Torture("intmeth.dat", A, 501, headers=_ALLOW),
    Torture("esc01.dat", A, 407, served=200),
    Torture("escnull.dat", A, 401, served=404, note="a number with NUL in it can be nobody's"),
    Torture("esc02.dat", A, 501, headers=_ALLOW),
    Torture("lwsdisp.dat", A, 200, headers=_SDP),
    Torture("longreq.dat", A, 407, served=200),
    Torture("dblreq.dat", A, 401, stream=(401, 407), left=Left.LOST, note="more follows the INVITE"),
    Torture("semiuri.dat", A, 200),
    Torture("transports.dat", A, 200),
    Torture("mpart01.dat", A, 407, served=200, note="a text for a phone"),
    Torture("unreason.dat", D, 0, note="well-formed, but nothing of ours waits for it"),
    Torture("noreason.dat", D, 0, note="well-formed, but nothing of ours waits for it"),
    # section 3.1.2: invalid
    Torture("badinv01.dat", R, 400, "Bad Via Parameter"),
    Torture("clerr.dat", R, 400, "Body Shorter Than Content-Length", stream=(), left=Left.AMID),
    Torture("ncl.dat", R, 400, "Bad Content-Length", left=Left.LOST),
    Torture("scalar02.dat", R, 400, "CSeq Out Of Range"),
    Torture("scalarlg.dat", D, 0),
    Torture("quotbal.dat", R, 400, "To: Malformed address"),
    Torture("ltgtruri.dat", R, 400, "Bad Request-URI"),
    Torture("lwsruri.dat", R, 400, "Bad Request-URI"),
    Torture("lwsstart.dat", R, 400, "Bad Request Line"),
    Torture("trws.dat", R, 400, "Bad Request Line"),
    Torture("escruri.dat", R, 400, "Headers In Request-URI"),
    Torture("baddate.dat", A, 407, served=200, note="the Date of an INVITE means nothing here, which is allowed"),
    Torture("regbadct.dat", R, 400, "Malformed address: such a URI belongs in angle brackets"),
    Torture("badaspec.dat", R, 400, "To: Malformed URI"),
    Torture("baddn.dat", R, 400, "From: Malformed address"),
    Torture("badvers.dat", R, 505, "Version Not Supported"),
    Torture("mismatch01.dat", R, 400, "CSeq Method Differs From Request"),
    Torture("mismatch02.dat", R, 501, headers=_ALLOW),
    Torture("bigcode.dat", D, 0),
    # section 3.2: transaction layer
    Torture("badbranch.dat", A, 200),
    # section 3.3: application layer
    Torture("insuf.dat", R, 400, "Missing From Header Field"),
    Torture("unkscm.dat", R, 416),
    Torture("novelsc.dat", R, 416),
    Torture("unksm2.dat", R, 400, "To Is No SIP URI", note="the index accepts it as far as parsing goes"),
    Torture("bext01.dat", R, 420, headers=(("Unsupported", _TAGS),)),
    Torture("invut.dat", R, 415, "Unsupported Media Type application/unknownformat", headers=_SDP),
    Torture("regaut01.dat", A, 401),
    Torture("multi01.dat", R, 400, "Several From Header Fields"),
    Torture("mcl01.dat", R, 400, "Bad Content-Length", left=Left.LOST),
    Torture("bcast.dat", D, 0),
    Torture("zeromf.dat", A, 200),
    Torture("cparam01.dat", A, 401, served=200),
    Torture("cparam02.dat", A, 401, served=200),
    Torture("regescrt.dat", A, 401, served=200),
    Torture("sdp01.dat", R, 406, "Only application/sdp Can Be Answered"),
    # section 3.4: RFC 2543
    Torture("inv2543.dat", A, 407, stream=(400,), left=Left.LOST, served=200, note="a stream needs a length"),
    Torture("test.dat", D, 0, note="in no section: its first line is no SIP"),
    # RFC 5118
    Torture("ipv6-good", A, 401, served=200),
    Torture("ipv6-bad", R, 400, "Request-URI: Malformed SIP URI"),
    Torture("port-ambiguous", A, 401, served=200),
    Torture("port-unambiguous", A, 401, served=200),
    Torture("via-received-param-with-delim", A, 481),
    Torture("via-received-param-no-delim", A, 200),
    Torture("ipv6-in-sdp", R, 400, "Body Shorter Than Content-Length", stream=(), left=Left.AMID),
    Torture("mult-ip-in-header", A, 481),
    Torture("mult-ip-in-sdp", A, 407, left=Left.LOST, served=200, note="its length as printed is too short"),
    Torture("ipv4-mapped-ipv6", A, 407, left=Left.AMID, served=488, note="the same, and no codec of ours is in it"),
    Torture("ipv6-bug-abnf-3-colons", A, 200),
    Torture("ipv6-correct-abnf-2-colons", A, 200),
)  # fmt: skip

MISPRINTED = tuple(case for case in TORTURE if case.name in ("ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"))
"""The messages of RFC 5118 whose Content-Length is not that of the body printed below it."""
BY_NAME = {case.name: case for case in TORTURE}


def mended(case: Torture) -> bytes:
    """A misprinted message with the Content-Length that its body has."""
    head, mark, body = case.data().partition(b"\r\n\r\n")
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + mark + body


def index_names() -> list[str]:
    """The file names of the index that came with the messages."""
    with (FOLDER / "INDEX.tsv").open(encoding="utf-8") as index:
        return [Path(row["file"]).name for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)]
