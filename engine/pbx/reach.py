"""How a registered phone is reached: over the flow it registered on, else at its contact (RFC 5626 section 5.3)."""

from __future__ import annotations

from engine.core.errors import RemoteError
from engine.net.endpoint import Endpoint
from engine.pbx.bindings import Binding
from engine.sip.flow import Flow
from engine.sip.uri import NameAddress, SipUri, Uri, parse_uri

_DEFAULT_PORTS = {"TCP": 5060, "TLS": 5061}


def flow_to_phone(endpoint: Endpoint, phone: Binding) -> Flow | None:
    """The flow to send a request on; ``None`` when the phone cannot be reached.

    A phone on TCP or TLS has its own connection. When that is gone it is called at its contact, if this names the
    machine that registered: behind a NAT it names none that we can reach.
    """
    local = (phone.local_host, phone.local_port)
    flow = endpoint.flow_to(local, (phone.source_host, phone.source_port), phone.transport)
    if flow is None or endpoint.is_connected(flow):
        return flow
    if phone.transport not in _DEFAULT_PORTS:
        return None  # a WebSocket is opened by the phone alone
    hop = _next_hop(phone)
    if not isinstance(hop, SipUri) or hop.host != phone.source_host:
        return None
    if (hop.param("transport") or phone.transport).upper() != phone.transport:
        return None
    port = hop.port or _DEFAULT_PORTS[phone.transport]
    return endpoint.flow_to(local, (hop.host, port), phone.transport)


def one_flow_each(endpoint: Endpoint, phones: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Of the flows that a phone numbers one alone: the newest that can be reached (RFC 5626 section 5.3)."""
    if len(phones) < 2 or not any(phone.reg_id for phone in phones):
        return phones
    chosen: dict[str, Binding] = {}
    for phone in sorted(phones, key=lambda item: item.registered_at, reverse=True):
        name = phone.instance if phone.reg_id and phone.instance else phone.contact
        known = chosen.get(name)
        if known is None or flow_to_phone(endpoint, known) is None:
            chosen[name] = phone
    return tuple(phone for phone in phones if phone in chosen.values())


def _next_hop(phone: Binding) -> Uri | None:
    try:
        return NameAddress.parse(phone.path[0]).uri if phone.path else parse_uri(phone.contact)
    except RemoteError:
        return None
