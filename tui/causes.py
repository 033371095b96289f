"""Why a call ended, in the console's language."""

from __future__ import annotations

from tui.texts import N_, _
from tui.wording import clean

CAUSES = {
    "normal": N_("hung up"),
    "released by an operator": N_("released by an operator"),
    "404 No Such Number": N_("no such number"),
    "408 Caller Vanished": N_("caller vanished"),
    "408 Callee Vanished": N_("called phone vanished"),
    "408 No ACK": N_("caller vanished"),
    "481 Caller Vanished": N_("caller vanished"),
    "481 Callee Vanished": N_("called phone vanished"),
    "503 Caller Vanished": N_("caller vanished"),
    "503 Callee Vanished": N_("called phone vanished"),
    "503 Caller Cannot Be Reached": N_("caller vanished"),
    "480 No Answer": N_("no answer"),
    "480 Phone Not Registered": N_("phone not registered"),
    "480 Phone Not Reachable": N_("phone not reachable"),
    "483 Too Many Hops": N_("forwarded too often"),
    "484 Address Incomplete": N_("number incomplete"),
    "480 Service Did Not Answer": N_("service did not answer"),
    "486 Own Number": N_("own number dialled"),
    "488 Media Address Cannot Be Reached": N_("audio address cannot be reached"),
    "488 No Answer In ACK": N_("no audio offer answered"),
    "500 Internal Error": N_("engine failed: see its log"),
    "500 Service Failed": N_("service failed"),
    "503 Engine Stopped": N_("engine stopped"),
    "503 No Media Ports": N_("no audio ports left"),
}
"""What the office itself says, word for word."""
STATUSES = {
    "404": N_("no such number"),
    "408": N_("no reply"),
    "410": N_("number changed"),
    "480": N_("not available"),
    "486": N_("line busy"),
    "487": N_("caller gave up"),
    "488": N_("audio not accepted"),
    "600": N_("line busy"),
    "603": N_("declined"),
    "604": N_("no such number"),
    "606": N_("audio not accepted"),
}
"""What a phone's answer means, whatever words it chose (RFC 3261 section 21)."""
_NO_CODEC = "488 No Common Codec"
"""Begins what the office says of phones that share none; what was offered follows."""


def cause_words(cause: str) -> str:
    """``busy`` for ``486 Busy Here``; what is not known by its status stays as it was said."""
    if cause.startswith(_NO_CODEC):
        return _("no common codec")
    known = CAUSES.get(cause) or STATUSES.get(cause[:3])
    return _(known) if known else clean(cause)
