"""Asking a phone whether it is still there: one OPTIONS and a short wait."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.clock import Clock
from engine.net.endpoint import Endpoint
from engine.pbx.bindings import Binding, target_of
from engine.pbx.inquiry import Inquiry
from engine.pbx.reach import flow_to_phone
from engine.sip.agent import UserAgent
from engine.sip.headers import Headers
from engine.sip.message import Request

PROBE_WAIT_S = 2.0


async def is_alive(
    binding: Binding, agent: UserAgent, endpoint: Endpoint, clock: Clock, token: Callable[[int], str]
) -> bool:
    """Whether the phone answers an OPTIONS within ``PROBE_WAIT_S`` seconds."""
    flow = flow_to_phone(endpoint, binding)
    if flow is None:
        return False
    headers = Headers([("Route", route) for route in binding.path])
    headers.add("Max-Forwards", "70")
    headers.add("From", f"<sip:{flow.sent_by}>;tag={token(8)}")
    headers.add("To", f"<{target_of(binding.contact)}>")
    headers.add("Call-ID", token(16))
    headers.add("CSeq", "1 OPTIONS")
    headers.add("Accept", "application/sdp")
    inquiry = Inquiry()
    transaction = agent.send_request(
        Request("OPTIONS", target_of(binding.contact), headers), flow, clock.now(), inquiry
    )
    endpoint.flush()
    try:
        return await inquiry.any_sign(PROBE_WAIT_S)
    finally:
        transaction.abandon(clock.now())
