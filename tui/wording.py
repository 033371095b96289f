"""How the console says things: lamps, states, names, times, and text that came from outside."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from babel.dates import format_datetime
from rich.cells import cell_len, set_cell_size

from engine.core.views import CallState, CallView, HealthView, Lamp, PartyRole, PartyState
from engine.store.outside import Night
from tui.texts import N_, _, language, zone

LAMP_WORDS = {
    Lamp.IDLE: N_("free"),
    Lamp.RINGING: N_("ringing"),
    Lamp.BUSY: N_("busy"),
    Lamp.HELD: N_("held"),
    Lamp.DND: N_("dnd"),
    Lamp.UNREGISTERED: N_("off"),
    Lamp.UNREACHABLE: N_("lost"),
}

CALL_WORDS = {
    CallState.RINGING: N_("ringing"),
    CallState.EARLY: N_("ringing"),
    CallState.TALKING: N_("talking"),
    CallState.HELD: N_("held"),
    CallState.PARKED: N_("parked"),
    CallState.QUEUED: N_("queued"),
    CallState.SERVICE: N_("service"),
    CallState.CONFERENCE: N_("conference"),
}

PARTY_WORDS = {
    PartyState.RINGING: N_("ringing"),
    PartyState.EARLY: N_("ringing"),
    PartyState.TALKING: N_("talking"),
    PartyState.HELD: N_("held"),
    PartyState.ENDED: N_("ended"),
}

NIGHT_WORDS = {Night.ON: N_("night"), Night.OFF: N_("day"), Night.AUTO: N_("by the clock")}
NEXT_NIGHT = {Night.AUTO: Night.ON, Night.ON: Night.OFF, Night.OFF: Night.AUTO}

ROLE_WORDS = {
    PartyRole.CALLER: N_("caller"),
    PartyRole.CALLEE: N_("called"),
    PartyRole.OPERATOR: N_("operator"),
    PartyRole.LISTENER: N_("listener"),
    PartyRole.WHISPERER: N_("whisperer"),
}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs a terminal's font has."""

    lamps: dict[Lamp, str]
    calls: str
    phones: str
    warning: str
    outgoing: str
    incoming: str
    both: str
    held: str
    cursor: str
    fine: str
    refused: str
    rule: str
    bars: str
    shaft: str
    """What arrows are made of; then their heads and what they are where they pass a line."""
    to_right: str
    to_left: str
    crossing: str
    again: str
    """Before what was sent once more."""
    mark: str
    lines: str
    back: str
    """Who came back, or may be fetched back."""
    camp: str
    """Who is waited for to be free."""
    shield: str
    """Whose calls nobody may break into."""
    night: str
    full: str
    """What a bar is filled with, and the rest of it."""
    empty: str


RICH_GLYPHS = Glyphs(
    lamps={
        Lamp.IDLE: "○", Lamp.RINGING: "◐", Lamp.BUSY: "●", Lamp.HELD: "‖",
        Lamp.DND: "⊘", Lamp.UNREGISTERED: "◌", Lamp.UNREACHABLE: "✕",
    },
    calls="●", phones="◉", warning="▲", outgoing="→", incoming="←", both="⇄", held="‖",
    cursor="▸", fine="✓", refused="✕", rule="│", bars="▁▂▃▄▅▆▇█",
    shaft="─", to_right="▶", to_left="◀", crossing="┼", again="↻", mark="◆", lines="⇅",
    back="↩", shield="⛨", camp="⧗", night="☾", full="█", empty="░",
)  # fmt: skip

PLAIN_GLYPHS = Glyphs(
    lamps={
        Lamp.IDLE: "o", Lamp.RINGING: "?", Lamp.BUSY: "*", Lamp.HELD: "=",
        Lamp.DND: "x", Lamp.UNREGISTERED: "-", Lamp.UNREACHABLE: "!",
    },
    calls="*", phones="o", warning="!", outgoing=">", incoming="<", both="<>", held="=",
    cursor=">", fine="ok", refused="!!", rule="|", bars="_.-~=+*#",
    shaft="-", to_right=">", to_left="<", crossing="+", again="%", mark="#", lines="^v",
    back="<", shield="+", camp="~", night="n", full="#", empty=".",
)  # fmt: skip
"""For the Linux console, whose font knows few signs."""


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """``text`` from outside without what could steer a terminal or hide: controls, format and private signs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(char)[0] == "C" else char for char in text)


def fit(text: str, width: int, *, to_right: bool = False) -> str:
    """``text`` in exactly ``width`` cells; what does not fit ends in an ellipsis."""
    text = clean(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - length) + text if to_right else text + " " * (width - length)


def duration(seconds: float) -> str:
    """Such as 0:07, 12:30, 1:02:03."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def clock_text(at: datetime, zone: tzinfo | None) -> str:
    """Weekday and time of day where the office is."""
    local = at.astimezone(zone)
    return f"{_weekday(local.toordinal(), language())} {local:%H:%M:%S}"


def stamp_text(at: datetime) -> str:
    """Day and time where the office is, such as 2026-03-02 09:41:22."""
    return f"{at.astimezone(zone()):%Y-%m-%d %H:%M:%S}"


def size_text(count: float) -> str:
    """Such as 12 KiB, 3.4 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


@lru_cache(maxsize=8)
def _weekday(ordinal: int, locale: str) -> str:
    return format_datetime(datetime.fromordinal(ordinal), "EEE", locale=locale)


def name_with_number(number: str, name: str | None) -> str:
    return f"{number} {name}" if name else number


def call_text(call: CallView) -> str:
    """A call in one phrase: who and whom."""
    caller = name_with_number(call.caller, call.caller_name)
    callee = name_with_number(call.callee, call.callee_name)
    return clean(f"{caller} → {callee}")


def loop_text(health: HealthView) -> str:
    """How late the engine's loop is."""
    return _("loop {p99:.1f} ms, worst {worst:.0f} ms").format(
        p99=health.loop_delay_p99_ms, worst=health.loop_delay_max_ms
    )


def health_text(health: HealthView, *, has_loop: bool) -> str:
    """The engine's figures in one line, for who looks after it; warnings left out."""
    listeners = " · ".join(
        f"{listener.kind} {listener.address}" for listener in health.listeners if listener.kind != "control"
    )
    return "   ".join(
        part
        for part in (
            loop_text(health) if has_loop else "",
            _("media {backend}: {n}").format(backend=health.media_backend, n=health.media_sessions),
            clean(listeners),
        )
        if part
    )
