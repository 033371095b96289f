"""What the machine grants the engine: real-time priority, open files, codecs, a clock that is right."""

from __future__ import annotations

import ctypes
import os
import resource
import threading
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from engine.core.params import RELAYED_CODECS
from engine.doctor.finding import Finding, failed, ok, warning
from engine.media.gateway import PLAYABLE

_PRIORITY = 10
"""What the gateway asks for (``relay.c``)."""
_FILES_BESIDE_MEDIA = 256
_SOCKETS_A_CALL = 4
_TIME_ERROR = 5
_OLDEST = datetime(2025, 1, 1, tzinfo=UTC)


def may_go_first() -> bool:
    """Whether the media thread would get what it asks for, tried on a thread that ends at once."""
    refused: list[OSError] = []

    def ask() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
        except OSError as error:
            refused.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    return not refused


def real_time(is_granted: bool) -> Finding:
    """What it means that the media thread has real-time priority, or has not."""
    if is_granted:
        return ok("real-time priority", "the media thread goes first (SCHED_RR)")
    return warning(
        "real-time priority",
        "the media thread may not go first: audio can be late while the machine is busy",
        "run it as the service of 'frontdesk install-service', or allow rtprio 10 in /etc/security/limits.conf",
    )


def check_open_files(first_media: int, last_media: int, pid: int = 0) -> Finding:
    """Whether the calls that the media range has room for may have their sockets in process ``pid``, 0 for ours."""
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    room = (last_media - first_media + 1) // _SOCKETS_A_CALL
    if hard == resource.RLIM_INFINITY:
        return ok("open files", "unlimited")
    allowed = max(0, hard - _FILES_BESIDE_MEDIA) // _SOCKETS_A_CALL
    said = f"at most {hard}: {min(allowed, room)} calls at once"
    if allowed < 10:
        return failed("open files", said, "raise the limit: ulimit -Hn 16384")
    if allowed < room:
        return warning(
            "open files",
            f"{said}, while the media ports have room for {room}",
            f"raise the limit to {room * _SOCKETS_A_CALL + _FILES_BESIDE_MEDIA} (LimitNOFILE, ulimit -Hn)",
        )
    return ok("open files", said)


def check_codecs(wanted: Collection[str]) -> Iterator[Finding]:
    """The native gateway, and whether the site's codecs have one that tones and music can be played in."""
    try:
        from engine.media import _native as _native
    except ImportError as error:
        yield failed(
            "media gateway", f"its native part cannot be loaded: {error}", "install Frontdesk again: make run"
        )
        return
    relayed = [name for name in wanted if name in RELAYED_CODECS]
    if not any(name in PLAYABLE for name in relayed):
        yield failed(
            "codecs",
            f"{', '.join(relayed) or 'none'}: tones and hold music can be played in none of them",
            "frontdesk param set codecs PCMA,PCMU,G722,OPUS",
        )
    else:
        yield ok(
            "codecs", f"{', '.join(relayed)}; tones and music in {', '.join(n for n in relayed if n in PLAYABLE)}"
        )
    if "OPUS" in relayed:
        yield _check_opus(_native.opus_version())


def _check_opus(version: str | None) -> Finding:
    """Whether Opus can be converted, mixed and played; two phones that speak it need nothing of it here."""
    if version is not None:
        return ok("opus", f"{version}: converted, mixed and played")
    return warning(
        "opus",
        "libopus is not installed: phones that speak Opus alone reach only each other, and no service",
        "apt-get install libopus0, and start Frontdesk again",
    )


def check_clock() -> Finding:
    """Whether the wall clock can be believed: records and certificates live by it, calls do not."""
    now = datetime.now(UTC)
    if now < _OLDEST:
        return failed("clock", f"it says {now:%Y-%m-%d %H:%M} UTC", "set it: timedatectl set-ntp true")
    if _is_synchronised() is False:
        return warning(
            "clock", f"{now:%Y-%m-%d %H:%M} UTC, kept by nobody", "let NTP keep it: timedatectl set-ntp true"
        )
    return ok(
        "clock", f"{now:%Y-%m-%d %H:%M} UTC, kept by NTP" if _is_synchronised() else f"{now:%Y-%m-%d %H:%M} UTC"
    )


def _is_synchronised() -> bool | None:
    """What the kernel says (adjtimex(2)); ``None`` when it says nothing."""
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR
