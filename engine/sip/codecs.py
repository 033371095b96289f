"""Codecs by name, and which RTP formats two sides have in common (RFC 3264, RFC 3551, RFC 4733)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine.core.errors import LocalError
from engine.sip.sdp import Attributes, Format


@dataclass(frozen=True, slots=True)
class Codec:
    """An audio encoding as we offer it; ``payload_type`` is ours to choose from 96 on."""

    name: str
    payload_type: int
    clock_rate: int = 8000
    channels: int = 1
    spelled: str | None = None
    fmtp: str | None = None


DTMF = "telephone-event"
DTMF_DIGITS = "0-16"
"""The sixteen digits and flash (RFC 4733 section 3.2)."""
NOISE = "CN"
"""Comfort noise (RFC 3389): how silence sounds, in the place of packets that hold nothing else."""
_NOISE_TYPE, _NOISE_RATE = 13, 8000
_SILENT = frozenset({"PCMA", "PCMU", "G722", "GSM"})
"""Codecs that say nothing of silence themselves."""

CODECS: dict[str, Codec] = {
    codec.name: codec
    for codec in (
        Codec("PCMU", 0),
        Codec("GSM", 3),
        Codec("PCMA", 8),
        Codec("G722", 9),
        # Comfort noise (annex B) is the other leg's choice too and nobody converts it here.
        Codec("G729", 18, fmtp="annexb=no"),
        # What is understood here of RFC 7587: one channel, and a lost packet made of its successor.
        Codec("OPUS", 96, 48000, 2, spelled="opus", fmtp="useinbandfec=1;usedtx=0;stereo=0"),
        Codec("ILBC", 97, spelled="iLBC", fmtp="mode=20"),
        Codec("SPEEX", 98, spelled="speex"),
    )
}
"""What can be offered, by name."""


def offered_formats(
    names: Sequence[str], numbers: Mapping[tuple[str, int], int], noise: bool = False
) -> tuple[Format, ...]:
    """Formats for an offer: the named codecs, comfort noise with ``noise``, digits at each of their clock rates.

    ``numbers``: payload types of this session by encoding and clock rate; a number once used keeps its meaning.
    Raises ``LocalError`` for a name that is not in ``CODECS``.
    """
    return _new_formats(names, numbers, noise) if numbers else _first_formats(tuple(names), noise)


@lru_cache(maxsize=256)
def _first_formats(names: tuple[str, ...], noise: bool) -> tuple[Format, ...]:
    """The offer of a session that has no numbers yet: the same for every call between two kinds of phones."""
    return _new_formats(names, {}, noise)


def _new_formats(names: Sequence[str], numbers: Mapping[tuple[str, int], int], noise: bool) -> tuple[Format, ...]:
    unknown = [name for name in names if name not in CODECS]
    if unknown or not names:
        raise LocalError(f"an offer needs codecs out of {', '.join(CODECS)}, not {', '.join(unknown) or 'none'}")
    codecs = [CODECS[name] for name in dict.fromkeys(names)]
    taken = dict(numbers)
    audio = [
        Format(
            number_for(taken, codec.name, codec.clock_rate, codec.payload_type),
            codec.name,
            codec.clock_rate,
            codec.fmtp,
            codec.channels,
        )
        for codec in codecs
    ]
    rates = sorted({codec.clock_rate for codec in codecs})
    if noise and not _SILENT.isdisjoint(names):
        number = number_for(taken, NOISE, _NOISE_RATE, _NOISE_TYPE)
        audio.append(Format(number, NOISE, _NOISE_RATE))
    digits = [Format(number_for(taken, DTMF, rate, _DTMF_FROM), DTMF, rate, DTMF_DIGITS) for rate in rates]
    return (*audio, *digits)


@lru_cache(maxsize=256)
def preferred(formats: tuple[Format, ...], names: tuple[str, ...]) -> tuple[Format, ...]:
    """Those of ``formats`` that ``names`` allows, in the order of ``names``, then comfort noise, digits last."""
    ranks = {name: rank for rank, name in enumerate(names)} | {NOISE: len(names), DTMF: len(names) + 1}
    return tuple(
        sorted((form for form in formats if form.encoding in ranks), key=lambda form: ranks[form.encoding])
    )


@lru_cache(maxsize=256)
def agreed(theirs: tuple[Format, ...], ours: tuple[Format, ...]) -> tuple[Format, ...]:
    """Those of ``theirs`` that ``ours`` has too, each once; digits only at a clock rate of an agreed codec, comfort
    noise only beside one that has none of its own."""
    known = {(form.encoding, form.clock_rate) for form in ours}
    found: dict[tuple[str, int], Format] = {}
    for form in theirs:
        key = form.encoding, form.clock_rate
        codec = CODECS.get(form.encoding)
        is_ours = codec.clock_rate == form.clock_rate if codec is not None else _is_beside_audio(form)
        if is_ours and key in known:
            found.setdefault(key, form)
    audio = [form for (name, _), form in found.items() if name in CODECS]
    rates = {form.clock_rate for form in audio}
    digits = [form for (name, rate), form in found.items() if name == DTMF and rate in rates]
    noise = found.get((NOISE, _NOISE_RATE))
    if noise is not None and any(form.encoding in _SILENT for form in audio):
        audio.append(noise)
    return (*audio, *digits)


def _is_beside_audio(form: Format) -> bool:
    return form.encoding == DTMF or (form.encoding == NOISE and form.clock_rate == _NOISE_RATE)


@lru_cache(maxsize=256)
def encodings(formats: tuple[Format, ...]) -> tuple[str, ...]:
    """The names of the encodings in order, each once, digits and comfort noise left out."""
    return tuple(dict.fromkeys([form.encoding for form in formats if form.encoding not in (DTMF, NOISE)]))


@lru_cache(maxsize=256)
def has_noise(formats: tuple[Format, ...]) -> bool:
    """Whether comfort noise is among them."""
    return any(form.encoding == NOISE for form in formats)


@lru_cache(maxsize=256)
def described(formats: tuple[Format, ...]) -> tuple[tuple[str, ...], Attributes]:
    """How a media line of ours names these formats: their numbers, and ``rtpmap`` and ``fmtp``."""
    attributes: list[tuple[str, str | None]] = []
    for form in formats:
        known = CODECS.get(form.encoding)
        spelled = (known and known.spelled) or form.encoding
        channels = f"/{form.channels}" if form.channels > 1 else ""
        attributes.append(("rtpmap", f"{form.payload_type} {spelled}/{form.clock_rate}{channels}"))
        if form.fmtp:
            attributes.append(("fmtp", f"{form.payload_type} {form.fmtp}"))
    return tuple([str(form.payload_type) for form in formats]), tuple(attributes)


def aliases(ours: tuple[Format, ...], answered: tuple[Format, ...]) -> list[Format]:
    """Our own numbers for agreed formats that the answer numbered otherwise: the peer may send at either."""
    numbers = {(form.encoding, form.clock_rate): form.payload_type for form in answered}
    return [
        form
        for form in ours
        if numbers.get((form.encoding, form.clock_rate), form.payload_type) != form.payload_type
    ]


@lru_cache(maxsize=256)
def as_we_answer(formats: tuple[Format, ...]) -> tuple[Format, ...]:
    """Formats of the offer with our own parameters; those both sides must share are repeated."""
    return tuple([_as_we_answer(form) for form in formats])


def _as_we_answer(form: Format) -> Format:
    if form.encoding == DTMF:
        return Format(form.payload_type, DTMF, form.clock_rate, DTMF_DIGITS)
    if form.encoding == "ILBC":
        return form
    if form.encoding == NOISE:
        return Format(form.payload_type, NOISE, form.clock_rate)
    codec = CODECS[form.encoding]
    return Format(form.payload_type, form.encoding, form.clock_rate, codec.fmtp, codec.channels)


def number_for(taken: dict[tuple[str, int], int], name: str, clock_rate: int, first_choice: int) -> int:
    """The payload number of a format, newly taken when it has none yet.

    Above 95 first, then 35 to 63 (RFC 3551 section 3); a peer that used up all of them gets the usual one.
    """
    number = taken.get((name, clock_rate))
    if number is None:
        used = taken.values()
        number = first_choice
        if number in used:
            choices = (*range(max(first_choice, 96), 128), *range(96, 128), *range(35, 64))
            number = next((choice for choice in choices if choice not in used), first_choice)
        taken[name, clock_rate] = number
    return number


_DTMF_FROM = 101
