"""What may be typed of an outside line, and the words that refuse."""

from __future__ import annotations

import re
from dataclasses import fields as fields_of
from ipaddress import ip_network

from engine.core.errors import RefusedError
from engine.core.options import is_host, split_host
from engine.store.outside import Srtp, Trunk, TrunkTransport

MOST_CALLS = 10_000
OVER_LIMIT = (486, 503)
NEVER_EMPTY = frozenset({
    "name", "host", "transport", "registers", "reserve_emergency", "reliable_provisional", "identity", "preset",
    "srtp", "over_limit", "is_trusted",
})  # fmt: skip
CLEARABLE = tuple(each.name for each in fields_of(Trunk) if each.name not in NEVER_EMPTY)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


def check_trunk_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"'{name}' is no name of a trunk",
            "use at most 32 letters, digits, dots, dashes and underscores, no dash first",
        )
    return name


def check_trunk_host(host: str) -> str:
    """A name or an address without brackets."""
    bare = host.strip("[]")
    if not is_host(bare):
        raise RefusedError(f"'{host}' is no host", "give a name such as sip.example.org, or an address")
    return bare


def check_trunk_port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise RefusedError(f"'{port}' is no port", "use a number from 1 to 65535, or leave it out")
    return port


def check_proxy(text: str) -> str:
    """``HOST[:PORT]`` that requests are sent to."""
    host, port = split_host(text)
    check_trunk_host(host)
    if port is not None:
        check_trunk_port(port)
    return text


def check_network(text: str) -> str:
    """A network or one address, as it is usually written."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise RefusedError(
            f"'{text}' is no network", "give an address or a network such as 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    return str(network)


def check_limit(name: str, count: int) -> int:
    """How many calls at once; 0 forbids the direction."""
    if not 0 <= count <= MOST_CALLS:
        raise RefusedError(f"{name} cannot be {count}", f"use 0 to {MOST_CALLS}, or unlimited")
    return count


def check_over_limit(status: int) -> int:
    if status not in OVER_LIMIT:
        raise RefusedError(f"over-limit cannot be {status}", "use 486 or 503")
    return status


def check_login_text(name: str, text: str) -> str:
    """A user name or a password of a carrier: one line, as it was given."""
    if not text or len(text) > 128 or not text.isprintable():
        raise RefusedError(f"the {name} cannot be used", "use one line of at most 128 characters")
    return text


def check_whole_trunk(trunk: Trunk) -> Trunk:
    """What must fit together."""
    if trunk.registers and not (trunk.username and trunk.password):
        raise RefusedError(
            f"trunk {trunk.name} cannot register without a login", "give it --username and --password"
        )
    if trunk.srtp is not Srtp.OFF:
        if trunk.transport is not TrunkTransport.TLS:
            raise RefusedError("audio keys would travel in the clear", "use --transport tls, or --srtp off")
        raise RefusedError("audio over trunks cannot be encrypted yet", "use --srtp off; TLS works without it")
    if trunk.max_out is not None and trunk.reserve_emergency > trunk.max_out:
        raise RefusedError(
            f"{trunk.reserve_emergency} lines cannot be kept free of {trunk.max_out}",
            "lower --reserve-emergency, or raise --max-out",
        )
    return trunk
