"""Turns pictures of the office into rows: what stands in which cell, in which ink, in which place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from engine.core.views import CallRecord, CallState, CallView, Lamp, ParkView, PersonView, RegistrationView
from tui.causes import cause_words
from tui.texts import N_, _
from tui.widgets.columns import Column
from tui.widgets.live_list import Row
from tui.wording import CALL_WORDS, LAMP_WORDS, Glyphs, duration, name_with_number

_Found = TypeVar("_Found")

LINGER_S = 3.0
"""Seconds an ended call keeps its place, so that nobody acts on the one that would slide into it."""
POOR_MOS = 3.6
_BEST_MOS = 4.4
_SAMPLE_S = 2.0
_SAMPLES = 4

CALL_COLUMNS = (
    Column(9, usual=14, grow=1, most=80),
    Column(2),
    Column(9, usual=14, grow=1, most=80),
    Column(4, usual=5, grow=9, most=9, to_right=True, drop=1),
    Column(7, grow=9, most=24),
    Column(_SAMPLES, drop=2),
    Column(5),
)
PERSON_COLUMNS = (
    Column(11, usual=16, grow=1, most=80),
    Column(1),
    Column(7),
    Column(8, to_right=True, drop=2),
)
PERSON_WIDTH = 25
"""Cells a person takes at least in the panel: cursor, name, lamp and word; then there is no room for the time."""
PHONE_COLUMNS = (
    Column(6, grow=1, most=15, title=N_("Number")),
    Column(8, usual=12, grow=1, most=40, drop=1, title=N_("Phone")),
    Column(15, grow=9, most=46, title=N_("Address")),
    Column(4, drop=2),
    Column(6, grow=9, most=16, to_right=True, title=N_("Refresh in")),
)


@dataclass(slots=True)
class _Kept:
    call: CallView
    ended_at: datetime | None = None
    cause: str | None = None
    """Why it ended, once that is known."""
    impairments: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    sampled_at: datetime | None = None


class CallBook:
    """The calls of one console in the order they came; who has ended lingers a moment in its place."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def update(
        self,
        calls: Iterable[CallView],
        at: datetime,
        cursor: str | None,
        ended: Iterable[CallRecord] = (),
        people: Collection[PersonView] = (),
    ) -> None:
        """Take over the live calls; the call under ``cursor`` lingers as long as the cursor stays on it.

        Of the calls in ``ended`` those that were refused before anybody saw them get a row, too, with the names
        that ``people`` have.
        """
        live = {call.id: call for call in calls}
        causes = {record.id: record.cause for record in ended}
        for key, kept in list(self._kept.items()):
            call = live.pop(kept.call.id, None)
            if call is not None:
                kept.call = call
                kept.ended_at = None
                _sample(kept, at)
                continue
            kept.ended_at = kept.ended_at or at
            kept.cause = causes.get(kept.call.id, kept.cause)
            limit = LINGER_S * (5 if key == cursor else 1)
            if (at - kept.ended_at).total_seconds() >= limit:
                del self._kept[key]
        for call in live.values():
            kept = self._kept[call.id] = _Kept(call)
            _sample(kept, at)
        for record in ended:
            is_fresh = (at - record.ended_at).total_seconds() < LINGER_S
            if is_fresh and record.answered_at is None and record.id not in self._kept:
                self._kept[record.id] = _Kept(_never_seen(record, people), record.ended_at, record.cause)

    def call(self, key: str | None) -> CallView | None:
        """The live call behind a row; ``None`` when it has ended."""
        kept = self._kept.get(key) if key else None
        return kept.call if kept and kept.ended_at is None else None

    def rows(self, at: datetime, glyphs: Glyphs, search: str, hidden: Collection[str] = ()) -> tuple[Row, ...]:
        """One row a call that ``search`` finds, those apart that stand elsewhere."""
        found = (
            kept
            for kept in self._kept.values()
            if kept.call.id not in hidden and (not search or finds_call(kept.call, search))
        )
        ordered = best_first(
            found,
            search,
            lambda kept: (kept.call.caller, kept.call.callee),
            lambda kept: (kept.call.caller_name, kept.call.callee_name),
        )
        return tuple(_call_row(kept, at, glyphs) for kept in ordered)


def _sample(kept: _Kept, at: datetime) -> None:
    is_due = kept.sampled_at is None or (at - kept.sampled_at).total_seconds() >= _SAMPLE_S
    if kept.call.quality is not None and is_due:
        kept.sampled_at = at
        kept.impairments.append(max(0.0, _BEST_MOS - kept.call.quality.mos))


def _never_seen(record: CallRecord, people: Collection[PersonView]) -> CallView:
    """What can be shown of a call that was over before the first look at it."""
    names = {person.number: person.name for person in people if person.number in (record.caller, record.callee)}
    return CallView(
        id=record.id,
        state=CallState.RINGING,
        caller=record.caller,
        callee=record.callee,
        caller_name=names.get(record.caller),
        callee_name=names.get(record.callee),
        started_at=record.started_at,
        answered_at=None,
        parties=(),
        trunk_in=record.trunk_in,
        trunk_out=record.trunk_out,
    )


def _call_row(kept: _Kept, at: datetime, glyphs: Glyphs) -> Row:
    call = kept.call
    is_inbound = call.trunk_in is not None and call.trunk_out is None
    caller = name_with_number(call.caller, call.caller_name)
    callee = name_with_number(call.callee, call.callee_name)
    ours, other = (callee, caller) if is_inbound else (caller, callee)
    if kept.ended_at is not None:
        last = duration(call.duration_s(kept.ended_at))
        why = _("ended") if kept.cause in (None, "normal") else cause_words(kept.cause)
        texts = (ours, "", other, last, why, "", "")
        return Row(call.id, tuple((text, "lamp-off") for text in texts))
    sign, ink = _direction(call, glyphs, is_inbound=is_inbound)
    mos, spark, mos_ink = _quality(kept, glyphs)
    return Row(
        call.id,
        (
            (ours, "text"),
            (sign, ink),
            (other, "text"),
            (duration(call.duration_s(at)), "text"),
            (_(CALL_WORDS[call.state]), ink),
            (spark, mos_ink),
            (mos, mos_ink),
        ),
    )


def _direction(call: CallView, glyphs: Glyphs, *, is_inbound: bool) -> tuple[str, str]:
    if call.state in (CallState.RINGING, CallState.EARLY, CallState.QUEUED):
        return (glyphs.incoming if is_inbound else glyphs.outgoing), "lamp-ringing"
    if call.state in (CallState.HELD, CallState.PARKED):
        return glyphs.held, "lamp-held"
    return glyphs.both, "lamp-busy"


def _quality(kept: _Kept, glyphs: Glyphs) -> tuple[str, str, str]:
    quality = kept.call.quality
    if quality is None:
        return "", "", "quiet"
    steps = len(glyphs.bars) - 1
    spark = "".join(glyphs.bars[min(steps, int(worse / 2.4 * steps + 0.5))] for worse in kept.impairments)
    is_poor = quality.mos < POOR_MOS
    return f"{quality.mos:.1f}" + (" !" if is_poor else ""), spark, "alarm" if is_poor else "quiet"


_LAMP_INKS = {
    Lamp.IDLE: "lamp-idle",
    Lamp.RINGING: "lamp-ringing",
    Lamp.BUSY: "lamp-busy",
    Lamp.HELD: "lamp-held",
    Lamp.DND: "lamp-dnd",
    Lamp.UNREGISTERED: "lamp-off",
    Lamp.UNREACHABLE: "lamp-alarm",
}
_TIMED = (Lamp.RINGING, Lamp.BUSY, Lamp.HELD)


def lamp_cells(lamp: Lamp, glyphs: Glyphs) -> tuple[tuple[str, str], tuple[str, str]]:
    """The sign of a lamp and its word; both carry the state, the ink only repeats it."""
    ink = _LAMP_INKS[lamp]
    return (glyphs.lamps[lamp], ink), (_(LAMP_WORDS[lamp]), ink)


def person_row(person: PersonView, at: datetime, glyphs: Glyphs, *, is_camped_on: bool = False) -> Row:
    sign, word = lamp_cells(person.lamp, glyphs)
    is_timed = person.lamp in _TIMED and person.since is not None
    since = duration(max(0.0, (at - person.since).total_seconds())) if is_timed and person.since else ""
    ink = "lamp-off" if person.lamp is Lamp.UNREGISTERED else "text"
    sign_before = glyphs.camp if is_camped_on else glyphs.shield if "overstep" in person.rights else ""
    last = (f"{sign_before}{since.rjust(7)}", "text") if sign_before else (since, "quiet")
    return Row(person.number, ((name_with_number(person.number, person.name), ink), sign, word, last))


def slot_row(slot: str, parked: ParkView | None, at: datetime, glyphs: Glyphs) -> Row:
    """A park slot among the people: who is on it, how long, and when the caller comes back."""
    key = f"P{slot}"
    if parked is None:
        return Row(key, ((key, "lamp-off"), ("", "text"), ("–", "lamp-off"), ("", "text")))
    stays = duration(max(0.0, (at - parked.since).total_seconds()))
    left = duration(max(0.0, (parked.returns_at - at).total_seconds()))
    return Row(
        key,
        (
            (f"{key} {parked.name or parked.number}", "text"),
            (glyphs.held, "lamp-held"),
            (f"P {stays}", "lamp-held"),
            (f"{glyphs.back} {left}", "quiet"),
        ),
    )


def dial_row(key: str, text: str, glyphs: Glyphs) -> Row:
    """A number outside that can be dialled."""
    return Row(
        key,
        (
            (text, "strong"),
            (glyphs.outgoing, "lamp-ringing"),
            ("", "text"),
            ("", "text"),
        ),
    )


def phone_row(phone: RegistrationView, at: datetime) -> Row:
    left = max(0.0, (phone.expires_at - at).total_seconds())
    # Whole minutes are enough, and a panel that stands still is one that is not drawn.
    expires = _("{n} min").format(n=int(left // 60)) if left >= 60 else _("< 1 min")
    return Row(
        f"{phone.extension} {phone.contact}",
        (
            (phone.extension, "text"),
            (phone.user_agent or _("unknown phone"), "text"),
            (phone.source, "quiet"),
            (phone.transport.lower(), "quiet"),
            (expires, "quiet"),
        ),
    )


def best_first(
    found: Iterable[_Found],
    search: str,
    numbers: Callable[[_Found], Iterable[str]],
    names: Callable[[_Found], Iterable[str | None]],
) -> list[_Found]:
    """What a search found: the number itself, numbers that begin so, names of which a word does, then the rest."""
    wanted = search.casefold().strip()

    def rank(one: _Found) -> int:
        if any(number == wanted for number in numbers(one)):
            return 0
        if any(number.startswith(wanted) for number in numbers(one)):
            return 1
        words = (word for name in names(one) if name for word in name.casefold().split())
        return 2 if any(word.startswith(wanted) for word in words) else 3

    return sorted(found, key=rank) if wanted else list(found)


def finds_call(call: CallView, search: str) -> bool:
    return _finds(
        search, call.caller, call.caller_name, call.callee, call.callee_name, call.trunk_in, call.trunk_out
    )


def finds_person(person: PersonView, search: str) -> bool:
    return _finds(search, person.number, person.name)


def finds_phone(phone: RegistrationView, search: str) -> bool:
    return _finds(search, phone.extension, phone.user_agent, phone.source, phone.contact)


def _finds(search: str, *texts: str | None) -> bool:
    """Every word of the search is in one of the texts; case and blanks in numbers do not matter."""
    whole = " ".join(text for text in texts if text).casefold()
    return all(word in whole for word in search.casefold().split())
