"""Which outside line a call comes from: by what we registered or by its source, never by its From alone."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from engine.core.errors import RemoteError
from engine.pbx.trunks.board import TrunkBoard
from engine.pbx.trunks.line import TrunkLine
from engine.sip.message import Request
from engine.sip.transaction.outputs import RequestArrived
from engine.sip.uri import NameAddress, SipUri, Uri, parse_uri


def line_of(board: TrunkBoard, arrived: RequestArrived) -> TrunkLine | None:
    """The line that an INVITE comes over; ``None`` when it comes from elsewhere.

    Its Request-URI may name the contact that we registered, which nobody else can know. Else it comes from an
    address of the line's servers, or from one of its networks. Where several lines share an address, the one whose
    user is called has it, else the first.
    """
    lines = board.lines()
    if not lines:
        return None
    user = _user_of(arrived.request)
    if user is not None:
        line = board.line_of_contact(user)
        if line is not None:
            return line
    host = arrived.flow.remote_host
    here = [line for line in lines if _comes_from(line, host)]
    if len(here) > 1:
        called = {user, _called_user(arrived.request, "To")}
        here.sort(key=lambda line: line.trunk.username not in called)
    return here[0] if here else None


def number_called(line: TrunkLine, request: Request) -> str | None:
    """The number that the outside dialled: the Request-URI, or what stands beside it where that is our contact."""
    user = _user_of(request)
    if user is not None and user not in (line.contact_user, line.trunk.username):
        return user
    for name in ("P-Called-Party-ID", "To"):
        number = _called_user(request, name)
        if number is not None and number != line.contact_user:
            return number
    return user


def _comes_from(line: TrunkLine, host: str) -> bool:
    if any(server.host == host for server in line.servers):
        return True
    networks = line.trunk.addresses
    return bool(networks) and _is_inside(host, networks)


@lru_cache(maxsize=4096)
def _is_inside(host: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _networks(networks) if network.version == address.version)


@lru_cache(maxsize=256)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def _user_of(request: Request) -> str | None:
    try:
        return _user(parse_uri(request.uri))
    except RemoteError:
        return None


def _called_user(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    try:
        return _user(NameAddress.parse(value).uri) if value is not None else None
    except RemoteError:
        return None


def _user(uri: Uri) -> str | None:
    return (uri.user or None) if isinstance(uri, SipUri) else uri.rest.partition(";")[0] or None
