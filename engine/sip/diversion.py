"""By whom a call was sent on before it came here: Diversion (RFC 5806) and History-Info (RFC 7044)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from engine.core.errors import RemoteError
from engine.sip.headers import Headers
from engine.sip.uri import NameAddress, SipUri, escaped_user

MOST_DIVERSIONS = 20
"""Read of one request; a call that was sent on more often goes round in circles."""


class Why(StrEnum):
    """Why a call was sent on, in the words of Diversion."""

    UNCONDITIONAL = "unconditional"
    BUSY = "user-busy"
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unavailable"
    DEFLECTION = "deflection"
    DO_NOT_DISTURB = "do-not-disturb"
    TIME_OF_DAY = "time-of-day"
    UNKNOWN = "unknown"


_CAUSES = {
    Why.UNCONDITIONAL: 302,
    Why.BUSY: 486,
    Why.NO_ANSWER: 408,
    Why.UNREACHABLE: 503,
    Why.DEFLECTION: 480,
    Why.DO_NOT_DISTURB: 486,
    Why.TIME_OF_DAY: 302,
    Why.UNKNOWN: 404,
}
"""The causes of RFC 4458 section 9, which History-Info entries carry."""
_REASONS = {302: Why.UNCONDITIONAL, 486: Why.BUSY, 408: Why.NO_ANSWER, 503: Why.UNREACHABLE, 480: Why.DEFLECTION}


class Diversion(NamedTuple):
    """One number that sent the call on."""

    number: str
    why: Why
    is_private: bool = False


def diversions_of(headers: Headers) -> tuple[Diversion, ...]:
    """Who sent the call on, the first of them in front; what cannot be read is left out.

    History-Info is asked where there is no Diversion.
    """
    if "Diversion" in headers:
        found = [_read_diversion(value) for value in headers.list_of("Diversion")[:MOST_DIVERSIONS]]
        return tuple(item for item in reversed(found) if item is not None)
    if "History-Info" in headers:
        return _read_history(headers.list_of("History-Info")[: MOST_DIVERSIONS + 1])
    return ()


def diversion_fields(diversions: Sequence[Diversion], host: str) -> tuple[tuple[str, str], ...]:
    """A Diversion field each, the latest on top (RFC 5806 section 9)."""
    return tuple(
        (
            "Diversion",
            f"<sip:{escaped_user(item.number)}@{host}>;reason={item.why.value};counter=1"
            f";privacy={'full' if item.is_private else 'off'}",
        )
        for item in reversed(diversions)
    )


def history_fields(diversions: Sequence[Diversion], target: str, host: str) -> tuple[tuple[str, str], ...]:
    """One History-Info field: every number that was tried and, last, the one that is called now (RFC 7044)."""
    if not diversions:
        return ()
    entries = []
    index, why = "1", None
    for number, is_private, next_why in (
        *[(item.number, item.is_private, item.why) for item in diversions],
        (target, False, None),
    ):
        cause = f";cause={_CAUSES[why]}" if why is not None else ""
        privacy = "?Privacy=history" if is_private else ""
        mapped = f";mp={index.rpartition('.')[0]}" if why is not None else ""
        entries.append(f"<sip:{escaped_user(number)}@{host}{cause}{privacy}>;index={index}{mapped}")
        index, why = f"{index}.1", next_why
    return (("History-Info", ", ".join(entries)),)


def _read_diversion(value: str) -> Diversion | None:
    address = _address(value)
    if address is None or not isinstance(address.uri, SipUri) or not address.uri.user:
        return None
    reason = (address.param("reason") or "").strip('"').lower()
    privacy = (address.param("privacy") or "off").strip('"').lower()
    return Diversion(address.uri.user, _why(reason), privacy != "off")


def _read_history(values: Sequence[str]) -> tuple[Diversion, ...]:
    """Each entry but the last was sent on, and the next one's cause says why."""
    entries = [address for value in values if (address := _address(value)) is not None]
    found = []
    for entry, following in itertools.pairwise(entries):
        uri, target = entry.uri, following.uri
        if not isinstance(uri, SipUri) or not uri.user or not isinstance(target, SipUri):
            continue
        cause = target.param("cause") or ""
        if not cause.isdecimal():
            continue  # a proxy on the way, nobody who was called
        is_private = any(name.lower() == "privacy" and "none" not in text.lower() for name, text in uri.headers)
        found.append(Diversion(uri.user, _REASONS.get(int(cause[:3]), Why.UNKNOWN), is_private))
    return tuple(found)


def _why(reason: str) -> Why:
    try:
        return Why(reason)
    except ValueError:
        return Why.UNKNOWN


def _address(value: str) -> NameAddress | None:
    with suppress(RemoteError):
        return NameAddress.parse(value)
    return None
