"""What NOTIFYs carry: dialog-info (RFC 4235), presence (RFC 3863), message counts (RFC 3842)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

DIALOG_INFO = "application/dialog-info+xml"
PIDF = "application/pidf+xml"
MESSAGE_SUMMARY = "application/simple-message-summary"

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class DialogShown(NamedTuple):
    """One dialog of a watched number, seen from its phone."""

    id: str
    """Unique among the dialogs of this number, and the same as long as the dialog lasts."""
    state: str
    """``trying``, ``proceeding``, ``early``, ``confirmed`` or ``terminated``."""
    is_recipient: bool
    """Whether the watched number was called."""
    call_id: str = ""
    local_tag: str | None = None
    """The phone's own tag; ``None`` before it has one."""
    remote_tag: str | None = None
    remote_uri: str | None = None
    """With whom it talks; ``None`` where that is not told."""
    remote_name: str | None = None
    local_uri: str | None = None
    is_held: bool = False


def dialog_info(entity: str, version: int, dialogs: Iterable[DialogShown], *, is_full: bool = True) -> bytes:
    """A dialog-info document about ``entity``, a SIP URI (RFC 4235 section 4)."""
    state = "full" if is_full else "partial"
    parts = [
        _HEAD,
        f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="{state}"',
        f" entity={quoteattr(entity)}>\n",
        *[_dialog(each) for each in dialogs],
        "</dialog-info>\n",
    ]
    return "".join(parts).encode()


def _dialog(shown: DialogShown) -> str:
    attributes = [f"id={quoteattr(shown.id)}"]
    if shown.call_id:
        attributes.append(f"call-id={quoteattr(shown.call_id)}")
    for name, tag in (("local-tag", shown.local_tag), ("remote-tag", shown.remote_tag)):
        if tag:
            attributes.append(f"{name}={quoteattr(tag)}")
    attributes.append(f'direction="{"recipient" if shown.is_recipient else "initiator"}"')
    parts = [f"<dialog {' '.join(attributes)}>\n<state>{shown.state}</state>\n"]
    if shown.local_uri is not None:
        held = '<param pname="+sip.rendering" pval="no"/>' if shown.is_held else ""
        parts.append(
            f"<local><identity>{escape(shown.local_uri)}</identity>"
            f"<target uri={quoteattr(shown.local_uri)}>{held}</target></local>\n"
        )
    if shown.remote_uri is not None:
        name = f" display={quoteattr(shown.remote_name)}" if shown.remote_name else ""
        parts.append(
            f"<remote><identity{name}>{escape(shown.remote_uri)}</identity>"
            f"<target uri={quoteattr(shown.remote_uri)}/></remote>\n"
        )
    parts.append("</dialog>\n")
    return "".join(parts)


def presence(entity: str, *, is_open: bool, note: str) -> bytes:
    """A presence document: whether the entity can be reached, and a word on it (RFC 3863 section 4)."""
    basic = "open" if is_open else "closed"
    return (
        f'{_HEAD}<presence xmlns="urn:ietf:params:xml:ns:pidf" entity={quoteattr(entity)}>\n'
        f'<tuple id="office"><status><basic>{basic}</basic></status><note>{escape(note)}</note></tuple>\n'
        f"<note>{escape(note)}</note>\n</presence>\n"
    ).encode()


def message_summary(account: str, new: int, old: int) -> bytes:
    """How many messages wait in a mailbox; ``account`` is the URI that fetches them (RFC 3842 section 5.2)."""
    lines = [
        f"Messages-Waiting: {'yes' if new else 'no'}",
        f"Message-Account: {account}",
        f"Voice-Message: {new}/{old} (0/0)",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()
