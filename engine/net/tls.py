"""What TLS listeners show: one certificate, read again whenever its files change."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import RefusedError
from engine.core.views import CertificateView

if TYPE_CHECKING:
    from engine.net.certificate import Identity

log = logging.getLogger(__name__)

Paths = tuple[Path, Path]
"""Certificate and key."""
LOOK_S = 2.0
"""How often the files are looked at."""
_WARNED_DAYS = 14


class TlsIdentity:
    """The certificate in force. A bad one never replaces a good one, and never ends the office.

    ``paths`` says where the files are at this moment and ``own`` where the office keeps the ones it makes itself;
    ``tell`` hears in one line what needs a hand.
    """

    def __init__(
        self, paths: Callable[[], Paths], own: Paths, wall: Callable[[], datetime], tell: Callable[[str], None]
    ) -> None:
        self._paths = paths
        self._own = own
        self._wall = wall
        self._tell = tell
        self._identity: Identity | None = None
        self._seen: object = None
        self._taken: object = None
        self._told = ""
        self._settled = asyncio.Event()

    @property
    def server(self) -> ssl.SSLContext | None:
        """What to show to who connects; ``None`` while there is no certificate that can be used."""
        return self._identity.server if self._identity is not None else None

    @property
    def client(self) -> ssl.SSLContext | None:
        return self._identity.client if self._identity is not None else None

    def view(self) -> CertificateView:
        """What is shown; raises ``RefusedError`` while there is nothing to show."""
        identity, (certificate, key) = self._identity, self._paths()
        if identity is None:
            raise RefusedError("there is no certificate that can be used", "see 'frontdesk certificate reload'")
        return CertificateView(
            subject=identity.subject,
            expires_at=identity.expires_at,
            fingerprint=identity.fingerprint,
            certificate=str(certificate),
            key=str(key),
            is_own=identity.is_own,
        )

    async def settled(self) -> None:
        """Wait until the certificate was looked for."""
        await self._settled.wait()

    async def start(self) -> None:
        """Read the certificate, or make one for an office that has none; what is wrong is told."""
        self._seen = self._taken = self._stamp()
        try:
            await self.reload()
        except RefusedError as error:
            self._warn(str(error))
        finally:
            self._settled.set()

    async def watch(self) -> None:
        """Start, then look at the files every ``LOOK_S`` seconds; runs until it is cancelled."""
        await self.start()
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Read the files again when they have changed and are at rest."""
        stamp, before = self._stamp(), self._seen
        self._seen = stamp
        is_due = self._identity is not None and self._is_ending(self._identity)
        if stamp != before or (stamp == self._taken and not is_due):
            return  # nothing new, or somebody is still at it
        self._taken = stamp
        try:
            await self.reload()
        except RefusedError as error:
            self._warn(str(error))

    async def reload(self) -> Identity:
        """Read the files now; raises ``RefusedError`` and keeps what is in force when they cannot be used."""
        paths = self._paths()
        identity = await asyncio.to_thread(_obtain, paths, paths == self._own, self._wall())
        if self._identity is not None and identity.fingerprint != self._identity.fingerprint:
            log.info("TLS shows another certificate now: %s, valid until %s", identity.subject, identity.expires_at)
        self._identity = identity
        self._taken = self._seen = self._stamp()
        self._told = ""
        self._look_at_date(identity, paths[0])
        return identity

    def _look_at_date(self, identity: Identity, path: Path) -> None:
        left = identity.expires_at - self._wall()
        if left < timedelta(0):
            self._warn(f"the TLS certificate {path} expired on {identity.expires_at:%Y-%m-%d}: put a new one there")
        elif left < timedelta(days=_WARNED_DAYS):
            self._warn(f"the TLS certificate {path} ends on {identity.expires_at:%Y-%m-%d}: put a new one there")

    def _is_ending(self, identity: Identity) -> bool:
        """Whether our own certificate is due for another."""
        from engine.net.certificate import RENEWED_DAYS

        may_make = self._paths() == self._own
        return may_make and identity.is_own and identity.expires_at - self._wall() < timedelta(days=RENEWED_DAYS)

    def _stamp(self) -> object:
        """Changes whenever a file does, or another is to be used."""
        paths = self._paths()
        return paths, tuple(map(_stamp_of, paths))

    def _warn(self, text: str) -> None:
        """Each trouble is told once."""
        if text != self._told:
            self._told = text
            log.warning("TLS: %s", text)
            self._tell(f"TLS: {text}")


def _obtain(paths: Paths, may_make: bool, at: datetime) -> Identity:
    """Runs on a thread of its own: making a key takes a tenth of a second, reading waits for the disk."""
    from engine.net.certificate import RENEWED_DAYS, make_certificate, read_identity

    if may_make and isinstance(_stamp_of(paths[0]), int):
        make_certificate(*paths, at)
    identity = read_identity(*paths)
    if may_make and identity.is_own and identity.expires_at - at < timedelta(days=RENEWED_DAYS):
        make_certificate(*paths, at)
        identity = read_identity(*paths)
    return identity


def _stamp_of(path: Path) -> object:
    """Another whenever the file is; the number of the error when it cannot be looked at."""
    try:
        found = os.stat(path)
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_ino, found.st_size
