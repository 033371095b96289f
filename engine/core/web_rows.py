"""The hosts that services may ask by HTTP: rows of the parameter ``http_allow`` and what each lets in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from engine.core.networks import Address, Network, address_of

USE = (
    "use a comma-separated list such as crm.example.com, *.example.com, https://10.0.0.5:8443, http://10.0.0.6 "
    "(plain) and 10.0.0.0/24 (where listed names may lead), or 'off'"
)
_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"(\*\.)?(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_INNER = tuple(map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10")))
"""Of the own house, though ``ipaddress`` calls them global: addresses of IPv4 in the ways of RFC 4291, RFC 2765 and
RFC 8215, and site-local ones (RFC 3879)."""


@dataclass(frozen=True, slots=True)
class WebRow:
    """One row: a host with its scheme and port, or with ``network`` where listed names may lead."""

    scheme: str = "https"
    host: str = ""
    port: int = 443
    network: Network | None = None

    def __str__(self) -> str:
        if self.network is not None:
            return str(self.network)
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{'' if self.scheme == 'https' else 'http://'}{host}{port}"

    def lets_in(self, scheme: str, host: str, port: int) -> bool:
        """Whether a service may ask this host so."""
        if self.network is not None or (scheme, port) != (self.scheme, self.port):
            return False
        return host == self.host or (self.host.startswith("*.") and host.endswith(self.host[1:]))

    def leads_to(self, address: Address) -> bool:
        """Whether a listed name may lead to this address though it is none of the public network."""
        if self.network is not None:
            return address in self.network
        return self.host == str(address)


def read_row(text: str) -> WebRow:
    """One row as it is typed; raises ``ValueError``."""
    row = text.strip().lower()
    if "/" in row and "://" not in row:
        return WebRow(network=ip_network(row, strict=False))
    scheme, there, rest = row.partition("://")
    if not there:
        scheme, rest = "https", row
    if scheme not in _PORTS:
        raise ValueError(USE)
    rest = rest.removesuffix("/")
    host, colon, port = rest, "", ""
    if rest.startswith("["):
        host, closed, after = rest[1:].partition("]")
        between, colon, port = after.partition(":")
        host = str(IPv6Address(host)) if closed and not between else ""
    elif rest.count(":") == 1:
        host, colon, port = rest.partition(":")
    elif ":" in rest:
        host = str(IPv6Address(rest))
    if ":" not in host and not _HOST.fullmatch(host):
        raise ValueError(USE)
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(USE)
    return WebRow(scheme, host, int(port) if colon else _PORTS[scheme])


def read_rows(text: str) -> tuple[str, ...]:
    """The rows of the parameter, each as it is kept; raises ``ValueError`` that says what may be typed."""
    if text.strip() in ("off", ""):
        return ()
    try:
        return tuple(dict.fromkeys(str(read_row(part)) for part in text.split(",") if part.strip()))
    except ValueError:
        raise ValueError(USE) from None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public network: no host of the own house, whatever way it is written."""
    if isinstance(address, IPv6Address):
        inner = address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if (inner is not None and not inner.is_global) or any(address in network for network in _INNER):
            return False
        if address in _TRANSLATED:
            return True
    return address.is_global and not address.is_multicast


def may_lead_to(rows: tuple[WebRow, ...], host: str) -> bool:
    """Whether a request of a service may go to this literal address."""
    try:
        address = address_of(host)
    except ValueError:
        return False
    return is_public(address) or any(row.leads_to(address) for row in rows)


def is_literal(host: str) -> bool:
    """Whether a host is an address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
