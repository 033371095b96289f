"""Whom we trust over TLS: the authorities, and whether a certificate is that of the domain we call (RFC 5922)."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.core.errors import RefusedError

_UNKNOWN_ISSUER = {18, 19, 20, 21}
"""OpenSSL's codes for a chain that ends at nobody we know."""
_EXPIRED, _NOT_YET = 10, 9


class Trust:
    """The authorities that may vouch for a peer: those of ``authorities()`` (a PEM file), else the system's."""

    def __init__(self, authorities: Callable[[], str | None] = lambda: None) -> None:
        self._authorities = authorities
        self._made_of: object = None
        self._context: ssl.SSLContext | None = None

    async def context(self) -> ssl.SSLContext:
        """For a connection to a peer that must be vouched for; raises ``RefusedError`` for a file of no use."""
        path = self._authorities()
        made_of = (path, _stamp(path))
        if self._context is None or made_of != self._made_of:
            self._context = await asyncio.to_thread(_make_context, path)
            self._made_of = made_of
        return self._context


class CertificateDemand:
    """What the certificate of one peer must be: vouched for, in force, and that of ``domain``."""

    def __init__(self, domain: str, trust: Trust) -> None:
        self.domain = domain
        """The domain, or the address, that the peer is called by."""
        self._trust = trust

    @property
    def server_name(self) -> str:
        """What to ask for with SNI: a name, never an address (RFC 6066 section 3)."""
        return "" if _is_address(self.domain) else self.domain

    async def context(self) -> ssl.SSLContext:
        return await self._trust.context()

    def flaw_of(self, transport: asyncio.BaseTransport) -> str | None:
        """What is wrong with the certificate that the peer has shown; its chain and dates are looked at already."""
        names = names_of(transport.get_extra_info("peercert") or {})
        if is_named(self.domain, names):
            return None
        shown = ", ".join(names[:4]) or "nobody"
        return str(
            RefusedError(
                f"the certificate of '{self.domain}' is refused, it is for {shown}",
                "use one of its names as the trunk's host, or have the carrier mend it",
            )
        )

    def explain(self, error: OSError) -> str:
        """Why a connection could not be opened, with the mend where the certificate is the reason."""
        if not isinstance(error, ssl.SSLCertVerificationError):
            return str(getattr(error, "reason", None) or error.strerror or error) or "no answer"
        what = f"the certificate of '{self.domain}' is refused ({error.verify_message.replace(': ', ' ')})"
        return str(_certificate_refused(what, error.verify_code))


def names_of(certificate: dict[str, Any]) -> list[str]:
    """Whom a certificate is for (RFC 5922 section 7.1): SIP URIs when it has any, else its DNS names and addresses.

    The subject's common name counts only where there is no alternative name at all.
    """
    alternatives = certificate.get("subjectAltName", ())
    uris = [value[4:] for kind, value in alternatives if kind == "URI" and value[:4].lower() == "sip:"]
    if uris:
        return [uri for uri in uris if "@" not in uri]
    names = [value for kind, value in alternatives if kind in ("DNS", "IP Address")]
    if names or alternatives:
        return names
    return [value for row in certificate.get("subject", ()) for key, value in row if key == "commonName"]


def is_named(domain: str, names: list[str]) -> bool:
    """Whether one of ``names`` is that of ``domain``.

    A wildcard stands for one label, as carriers use it and other than RFC 5922 section 7.2 wants it.
    """
    if _is_address(domain):
        wanted = ipaddress.ip_address(domain)
        return any(_is_address(name) and ipaddress.ip_address(name) == wanted for name in names)
    wanted_name = domain.lower().rstrip(".")
    parent = wanted_name.partition(".")[2]
    for name in (text.lower().rstrip(".") for text in names):
        if name == wanted_name or (name.startswith("*.") and "." in parent and name[2:] == parent):
            return True
    return False


def _certificate_refused(what: str, code: int) -> RefusedError:
    if code in _UNKNOWN_ISSUER:
        return RefusedError(what, "name the PEM file of its authority with the parameter trunk_ca")
    if code == _EXPIRED:
        return RefusedError(what, "have the carrier renew it, and see that this machine's clock is right")
    if code == _NOT_YET:
        return RefusedError(what, "see that this machine's clock is right")
    return RefusedError(what, "have the carrier mend it")


def _make_context(path: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # names are compared as RFC 5922 wants it
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        if path is None:
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise RefusedError(
            f"the authorities of {path} cannot be read ({why})", "put their certificates there in PEM form"
        ) from None
    return context


def _stamp(path: str | None) -> object:
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_ino


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
