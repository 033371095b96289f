"""Draws a call's SIP messages as arrows between the parties, for the console and for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len

from engine.core.ladder import LadderLeg, LadderMessage
from engine.sip.flow import host_port
from tui.wording import Glyphs, clean, fit, name_with_number

OURS = "Frontdesk"
TIME_WIDTH = 13
"""``09:39:01.102`` and a blank."""
_LEAST_LANE, _MOST_LANE = 16, 44
_LEAST_REASON = 6
"""Cells of a response's reason that still say something."""
_SIDE = len(OURS) // 2 + 1
"""Cells that our own name takes on each side of its line."""

Piece = tuple[str, str]
"""Text and its ink."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where the parties' lines stand: the caller's on the left, ours, then one for each phone that was called."""

    legs: tuple[LadderLeg, ...]
    width: int
    """Cells between two lines."""
    is_shared: bool = False
    """Whether there is no room for more than one line on the right: then arrows say whose they are."""

    @classmethod
    def across(cls, legs: Sequence[LadderLeg], room: int) -> Lanes:
        """Lanes in ``room`` cells beside the time; at least wide enough for a status."""
        right = max(1, len(legs) - 1)
        room -= TIME_WIDTH + 2 + right
        width, is_shared = room // (1 + right), False
        if right > 1 and width < _LEAST_LANE:
            width, is_shared = (room + right - 1) // 2, True
        return cls(tuple(legs), max(6, min(width, _MOST_LANE)), is_shared)

    @property
    def right(self) -> int:
        """How many lines stand right of ours."""
        return 1 if self.is_shared else max(1, len(self.legs) - 1)

    def names(self) -> list[Piece]:
        """The line with who the parties are."""
        return self._heads(
            [(name_with_number(leg.number, leg.name), leg.number) for leg in self.legs], OURS, "strong"
        )

    def addresses(self) -> list[Piece]:
        """The line with where their SIP comes from."""
        places = [(leg.transport, host_port(*leg.remote)) for leg in self.legs]
        return self._heads([(f"{transport} {address}", address) for transport, address in places], "", "quiet")

    def arrow(
        self, message: LadderMessage, before: LadderMessage | None, zone: tzinfo | None, glyphs: Glyphs
    ) -> list[Piece]:
        """One message; the time is whole where its second is another than that of the message ``before``."""
        at = message.at.astimezone(zone)
        text = f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
        if before is not None and before.at.replace(microsecond=0) == message.at.replace(microsecond=0):
            text = " " * 8 + text[8:]
        pieces = [(text + " ", "quiet")]
        line, blank, ink = glyphs.rule, " " * self.width, ink_of(message)
        if message.leg == 0:
            shaft = self._shaft(message, self.width, not message.is_sent, glyphs)
            pieces += [(line, "frame"), (shaft, ink), (line, "frame")]
            return [*pieces, (f"{blank}{line}" * self.right, "frame")]
        reached = 1 if self.is_shared else message.leg
        shaft = self._shaft(message, self.width * reached + reached - 1, message.is_sent, glyphs)
        for passed in range(1, reached):
            at_cell = passed * (self.width + 1) - 1
            if shaft[at_cell] == glyphs.shaft:
                shaft = shaft[:at_cell] + glyphs.crossing + shaft[at_cell + 1 :]
        rest = f"{blank}{line}" * (self.right - reached)
        return [*pieces, (f"{line}{blank}{line}", "frame"), (shaft, ink), (line + rest, "frame")]

    def _shaft(self, message: LadderMessage, width: int, goes_right: bool, glyphs: Glyphs) -> str:
        who = f"{self.legs[message.leg].number}/{message.leg} " if self.is_shared and message.leg else ""
        text = f" {label(message, glyphs, who, max(1, width - 4))} "
        rest = max(0, width - 1 - cell_len(text))
        lead = min(3, rest)
        if goes_right:
            return glyphs.shaft * lead + text + glyphs.shaft * (rest - lead) + glyphs.to_right
        return glyphs.to_left + glyphs.shaft * lead + text + glyphs.shaft * (rest - lead)

    def _heads(self, texts: Sequence[tuple[str, str]], ours: str, ink: str) -> list[Piece]:
        """Each text stands at its line: the whole one where it fits, else the short one."""
        left, *others = texts or [("", "")]
        if self.is_shared:
            others = [(", ".join(dict.fromkeys(whole for whole, _short in others)), others[0][1])]
        pieces = [(" " * TIME_WIDTH, "text"), (_fitting(left, self.width + 1 - _SIDE), ink)]
        pieces.append((fit(f" {ours}", 2 * _SIDE + 1), "title"))
        used = _SIDE
        for text in others or [("", "")]:
            pieces.append((" " + _fitting(text, self.width - used, to_right=True), ink))
            used = 0
        return pieces


def _fitting(text: tuple[str, str], width: int, *, to_right: bool = False) -> str:
    whole, short = clean(text[0]), clean(text[1])
    return fit(whole if cell_len(whole) <= width else short, width, to_right=to_right)


def label(message: LadderMessage, glyphs: Glyphs, who: str, room: int) -> str:
    """What an arrow says in ``room`` cells: what tells least goes first."""
    status, _, reason = message.title.partition(" ")
    again = f"{glyphs.again} " if message.is_resent else ""
    sdp = " SDP" if message.has_sdp else ""
    if not status.isdigit():
        auth = " (auth)" if message.has_credentials else ""
        choices = [f"{who}{again}{status}{auth}{sdp}", f"{again}{status}{auth}{sdp}", f"{again}{status}{sdp}"]
    else:
        about = f" ({message.method})" if message.method != "INVITE" else ""
        short = f"{who}{again}{status}{about}{sdp}"
        spare = room - cell_len(short) - 4  # some of the shaft stays on both sides
        cut = f"{who}{again}{status} {fit(reason, spare)}{about}{sdp}" if spare >= _LEAST_REASON else short
        whole = f"{who}{again}{status} {reason}{about}{sdp}"
        choices = [whole, cut, short, f"{again}{status}{about}{sdp}", f"{again}{status}{sdp}"]
    return next((text for text in choices if cell_len(text) <= room), fit(message.title, room).rstrip())


def ink_of(message: LadderMessage) -> str:
    """Quiet for what was sent again, loud for refusals; the words say it, too."""
    if message.is_resent:
        return "quiet"
    status = message.title[:3]
    if not status.isdigit():
        return "strong"
    if status in ("401", "407", "487") or status < "300":
        return "good" if status >= "200" and status < "300" else "text"
    return "alarm" if status >= "400" else "text"


def line_of(pieces: Sequence[Piece]) -> str:
    """The pieces as plain text."""
    return "".join(text for text, _ink in pieces).rstrip()
