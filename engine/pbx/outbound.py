"""Flows that a phone numbers, so that each is replaced by itself and kept alive (RFC 5626 section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.core.errors import RemoteError
from engine.pbx.bindings import Binding
from engine.pbx.register_request import RequestedContact
from engine.sip.message import Request
from engine.sip.uri import NameAddress, SipUri

MOST_FLOWS = 8
"""Of one phone; a phone needs two, and one that counts on at each start must not fill the office."""
FLOW_TIMER_S = 120
"""How often a phone has to show that its flow lives."""
GRANTED = (("Require", "outbound"), ("Flow-Timer", str(FLOW_TIMER_S)))
"""What the 200 says when it is done as the phone asked."""


def settle_flows(
    request: Request, path: tuple[str, ...], contacts: list[RequestedContact]
) -> list[RequestedContact]:
    """The contacts of a REGISTER that names flows, the numbers left out where they cannot be used.

    Raises ``RemoteError``: 439 when a proxy in between does not know of flows, 400 for two numbers at once.
    """
    if sum(contact.reg_id is not None for contact in contacts) > 1:
        raise RemoteError(400, "Several Contacts With reg-id")
    is_asked = any("outbound" in request.headers.tokens(name) for name in ("Supported", "Require"))
    if is_asked and _first_hop_knows(request, path):
        return contacts
    if is_asked:
        raise RemoteError(439, "First Hop Lacks Outbound Support")
    return [replace(contact, reg_id=None) for contact in contacts]


def is_other_flow(known: Binding, flows: Sequence[int | None]) -> bool:
    """Whether a REGISTER of these flows leaves a known one alone: on connections of their own they may overtake."""
    return known.reg_id is not None and bool(flows) and None not in flows and known.reg_id not in flows


def surplus_flows(bindings: Sequence[Binding], new: Binding) -> list[Binding]:
    """The flows of the phone of ``new`` beyond ``MOST_FLOWS``: those that were refreshed the longest time ago."""
    if new.reg_id is None or len(bindings) <= MOST_FLOWS:
        return []
    flows = [item for item in bindings if item.reg_id is not None and item.instance == new.instance]
    return sorted(flows, key=lambda item: item.expires_at)[:-MOST_FLOWS]


def _first_hop_knows(request: Request, path: tuple[str, ...]) -> bool:
    """Whether the phone's own connection ends here, or at a proxy that says ``ob``."""
    if len(request.headers.list_of("Via")) == 1:
        return True
    if not path:
        return False
    edge = NameAddress.parse(path[-1]).uri
    return isinstance(edge, SipUri) and edge.param("ob") is not None
