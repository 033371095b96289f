"""A call's detail in words and rows: its head line, its audio figures, one message, two messages compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher

from engine.core.ladder import Ladder, LadderLeg, LadderMessage, MediaView
from engine.core.views import PartyState
from engine.sip.flow import host_port
from tui.causes import cause_words
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.widgets.live_list import Cell, Row
from tui.widgets.text_pane import TextLine
from tui.wording import CALL_WORDS, PARTY_WORDS, Glyphs, clean, duration, name_with_number

POOR_MOS = 3.6

AUDIO_COLUMNS = (
    Column(8, usual=12, grow=2, most=40, title=N_("Party")),
    Column(7, grow=9, most=10, title=N_("State")),
    Column(5, drop=1, title=N_("Codec")),
    Column(6, to_right=True, drop=3, title=N_("In")),
    Column(6, to_right=True, title=N_("Loss")),
    Column(7, to_right=True, title=N_("Jitter")),
    Column(4, to_right=True, title=N_("MOS")),
    Column(6, to_right=True, drop=4, title=N_("Out")),
    Column(6, to_right=True, drop=5, title=N_("Loss")),
    Column(7, to_right=True, drop=6, title=N_("Jitter")),
    Column(7, to_right=True, drop=2, title=N_("RTT")),
    Column(9, to_right=True, drop=7, title=N_("Strangers")),
    Column(15, grow=9, most=47, drop=1, title=N_("Audio from")),
)
"""What came from the party, what went to it as it reports, and where its audio comes from."""


def parties_line(ladder: Ladder, now: datetime, glyphs: Glyphs) -> list[Cell]:
    """Who calls whom, where the call stands and since when, or how it ended."""
    caller = next((leg for leg in ladder.legs if leg.number == ladder.caller), None)
    callee = next((leg for leg in ladder.legs[1:] if leg.number == ladder.callee), None)
    names = (
        name_with_number(ladder.caller, caller.name if caller else None),
        name_with_number(ladder.callee, callee.name if callee else None),
    )
    parts: list[Cell] = [
        (" " + _("Call {id}").format(id=ladder.call) + "  ", "title"),
        (f"{names[0]} {glyphs.outgoing} {names[1]}   ", "strong"),
    ]
    time = duration(ladder.duration_s(now))
    if ladder.state is not None:
        return [*parts, (f"{_(CALL_WORDS[ladder.state])} {time}", "lamp-busy")]
    ended = _("ended: {cause}").format(cause=cause_words(ladder.cause or ""))
    return [*parts, (ended, "lamp-off"), (f"   {time}" if ladder.answered_at else "", "quiet")]


def quality_line(ladder: Ladder, glyphs: Glyphs) -> list[Cell]:
    """Codecs and the worse direction's audio."""
    talking = [leg for leg in ladder.legs if leg.codec] or list(ladder.legs[:1])
    codecs = f" {glyphs.both} ".join(leg.codec or "–" for leg in talking[:2])
    heard = [leg.media.received for leg in ladder.legs if leg.media is not None and leg.media.received.packets]
    if not heard:
        return [(f" {codecs}   ", "text"), (_("no audio yet") if ladder.state else _("no audio"), "quiet")]
    mos = min(stream.mos for stream in heard)
    figures = _("loss {loss:.1f} %   jitter {jitter:.0f} ms   MOS {mos:.1f}").format(
        loss=max(stream.loss_percent for stream in heard), jitter=max(stream.jitter_ms for stream in heard), mos=mos
    )
    return [(f" {codecs}   ", "text"), (figures, "alarm" if mos < POOR_MOS else "text")]


def audio_row(place: int, leg: LadderLeg) -> Row:
    """One leg of the audio panel."""
    who = name_with_number(leg.number, leg.name)
    ink = "lamp-off" if leg.state is PartyState.ENDED else "text"
    head: tuple[Cell, ...] = ((who, ink), (_(PARTY_WORDS[leg.state]), ink), (leg.codec or "–", "text"))
    figures = _figures(leg.media) if leg.media else (("", "text"),) * (len(AUDIO_COLUMNS) - len(head))
    return Row(str(place), head + figures)


def _figures(media: MediaView) -> tuple[Cell, ...]:
    received, sent = media.received, media.sent
    is_heard = received.packets > 0
    ink = "alarm" if is_heard and received.mos < POOR_MOS else "text"
    trip = f"{media.round_trip_ms:.1f} ms" if media.round_trip_ms is not None else "–"
    return (
        (str(received.packets), "text"),
        (f"{received.loss_percent:.1f} %" if is_heard else "–", "text"),
        (f"{received.jitter_ms:.1f} ms" if is_heard else "–", "text"),
        (f"{received.mos:.1f}" if is_heard else "–", ink),
        (str(sent.packets), "text"),
        (f"{sent.loss_percent:.1f} %" if sent.packets else "–", "text"),
        (f"{sent.jitter_ms:.1f} ms" if sent.packets else "–", "text"),
        (trip, "text"),
        (str(media.strangers), "strong" if media.strangers else "quiet"),
        (host_port(*media.remote) if media.remote else "–", "quiet"),
    )


def message_lines(message: LadderMessage) -> list[TextLine]:
    """A message to read: start line, headers and body."""
    head, _blank, body = _text(message).partition("\n\n")
    start, *headers = head.split("\n")
    lines: list[TextLine] = [((start, "strong"),)]
    for header in headers:
        name, colon, value = header.partition(":")
        lines.append(((name + colon, "key"), (value, "text")) if colon else ((header, "text"),))
    if body:
        lines.append((("", "text"),))
        lines += [((line, "strong" if line.startswith("m=") else "text"),) for line in body.split("\n")]
    return lines


def difference(one: LadderMessage, other: LadderMessage) -> list[TextLine]:
    """Both messages line by line: ``-`` stands only in ``one``, ``+`` only in ``other``."""
    before, after = _text(one).split("\n"), _text(other).split("\n")
    lines: list[TextLine] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [((f"  {line}", "quiet"),) for line in before[a:b]]
        else:
            lines += [((f"- {line}", "lamp-dnd"),) for line in before[a:b]]
            lines += [((f"+ {line}", "good"),) for line in after[c:d]]
    return lines


def message_title(message: LadderMessage, at: str) -> str:
    """What stands over a message: its start, and how it went."""
    way = _("to {address}") if message.is_sent else _("from {address}")
    where = way.format(address=host_port(*message.remote))
    return clean(f"{at}  {message.transport}  {where}")


def _text(message: LadderMessage) -> str:
    text = message.data.decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n").rstrip("\n")


def last_place(messages: Sequence[LadderMessage]) -> int:
    """The number that the next message will have."""
    return messages[-1].number + 1 if messages else 0
