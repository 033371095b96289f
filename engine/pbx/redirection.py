"""Where a phone that answers 3xx sends a call on (RFC 3261 sections 8.1.3.4, 21.3)."""

from __future__ import annotations

import re
from contextlib import suppress

from engine.core.errors import RemoteError
from engine.core.text import may_be_number
from engine.sip.message import Response
from engine.sip.uri import NameAddress, SipUri, Uri

MOST_REDIRECTIONS = 5
"""Of one call; phones that send it on more often send it round."""
_WISH = re.compile(r"0?\.\d+|0\.?|1(\.0*)?", re.ASCII)
"""A q value (RFC 3261 section 25.1), however many digits it has."""


def redirected_to(response: Response | None) -> str | None:
    """The number that the most wanted Contact names; ``None`` when none names any.

    Whose host it names does not matter: where the number goes the office decides.
    """
    if response is None:
        return None
    wanted: list[tuple[float, str]] = []
    for value in response.headers.list_of("Contact"):
        with suppress(RemoteError):
            address = NameAddress.parse(value)
            number = number_of(address.uri)
            q = address.param("q") or "1"
            if number and may_be_number(number) and _WISH.fullmatch(q):
                wanted.append((-float(q), number))
    return min(wanted, key=lambda item: item[0])[1] if wanted else None


def number_of(uri: Uri) -> str | None:
    """The number that a SIP or tel URI names, its visual separators left out; ``None`` of any other URI."""
    if isinstance(uri, SipUri):
        return uri.user
    return re.sub(r"[-.()]", "", uri.rest.partition(";")[0]) if uri.scheme == "tel" else None
