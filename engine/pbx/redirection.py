"""Where a phone that answers 3xx sends a call on (RFC 3261 sections 8.1.3.4, 21.3)."""

from __future__ import annotations

from contextlib import suppress

from engine.core.errors import RemoteError
from engine.core.text import may_be_number
from engine.sip.message import Response
from engine.sip.uri import NameAddress, SipUri

MOST_REDIRECTIONS = 5
"""Of one call; phones that send it on more often send it round."""


def redirected_to(response: Response | None) -> str | None:
    """The number that the most wanted Contact names; ``None`` when none names any.

    Whose host it names does not matter: where the number goes the office decides.
    """
    if response is None:
        return None
    wanted: list[tuple[float, str]] = []
    for value in response.headers.list_of("Contact"):
        with suppress(RemoteError, ValueError):
            address = NameAddress.parse(value)
            uri = address.uri
            number = uri.user if isinstance(uri, SipUri) else uri.rest.partition(";")[0]
            if number and may_be_number(number):
                wanted.append((-float(address.param("q") or 1), number))
    return min(wanted, key=lambda item: item[0])[1] if wanted else None
