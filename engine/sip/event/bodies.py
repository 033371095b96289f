"""What NOTIFYs carry: dialog-info (RFC 4235), presence (RFC 3863, 4480), message counts (RFC 3842)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.sax import saxutils

DIALOG_INFO = "application/dialog-info+xml"
PIDF = "application/pidf+xml"
MESSAGE_SUMMARY = "application/simple-message-summary"

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """``text`` as the content of an element; characters that XML has not become question marks."""
    return saxutils.escape(_NO_XML.sub("?", text))


def quoted(text: str) -> str:
    """``text`` as the value of an attribute, in quotation marks."""
    return saxutils.quoteattr(_NO_XML.sub("?", text))


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


class PresenceShown(NamedTuple):
    """What a presence document says of somebody or something."""

    is_open: bool
    """Whether it can be reached now."""
    note: str
    activity: str = ""
    """``on-the-phone``, ``busy`` or another element of RFC 4480 section 3.2; empty for none."""


def dialog_info(entity: str, version: int, dialogs: Iterable[DialogShown], *, is_full: bool = True) -> bytes:
    """A dialog-info document about ``entity``, a SIP URI (RFC 4235 section 4)."""
    return versioned(dialog_info_parts(entity, dialogs, is_full=is_full), version).encode()


def dialog_info_parts(entity: str, dialogs: Iterable[DialogShown], *, is_full: bool = True) -> tuple[str, str]:
    """The same before and after its version: many watchers are told the same in versions of their own."""
    state = "full" if is_full else "partial"
    rest = "".join([_dialog(each) for each in dialogs])
    return (
        f'{HEAD}<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="',
        f'" state="{state}" entity={quoted(entity)}>\n{rest}</dialog-info>\n',
    )


def versioned(parts: tuple[str, str], version: int) -> str:
    """A document of ``parts``; what has no version has but one part."""
    before, after = parts
    return f"{before}{version}{after}" if after else before


def _dialog(shown: DialogShown) -> str:
    attributes = [f"id={quoted(shown.id)}"]
    if shown.call_id:
        attributes.append(f"call-id={quoted(shown.call_id)}")
    for name, tag in (("local-tag", shown.local_tag), ("remote-tag", shown.remote_tag)):
        if tag:
            attributes.append(f"{name}={quoted(tag)}")
    attributes.append(f'direction="{"recipient" if shown.is_recipient else "initiator"}"')
    parts = [f"<dialog {' '.join(attributes)}>\n<state>{shown.state}</state>\n"]
    if shown.local_uri is not None:
        held = '<param pname="+sip.rendering" pval="no"/>' if shown.is_held else ""
        parts.append(
            f"<local><identity>{escaped(shown.local_uri)}</identity>"
            f"<target uri={quoted(shown.local_uri)}>{held}</target></local>\n"
        )
    if shown.remote_uri is not None:
        name = f" display={quoted(shown.remote_name)}" if shown.remote_name else ""
        parts.append(
            f"<remote><identity{name}>{escaped(shown.remote_uri)}</identity>"
            f"<target uri={quoted(shown.remote_uri)}/></remote>\n"
        )
    parts.append("</dialog>\n")
    return "".join(parts)


def presence(entity: str, shown: PresenceShown) -> str:
    """A presence document: whether the entity can be reached, and a word on it (RFC 3863 section 4, RFC 4480)."""
    basic, note = "open" if shown.is_open else "closed", escaped(shown.note)
    spaces = person = ""
    if shown.activity:
        spaces = ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"'
        person = (
            f'<dm:person id="person"><rpid:activities><rpid:{shown.activity}/></rpid:activities>'
            f"<dm:note>{note}</dm:note></dm:person>\n"
        )
    return (
        f'{HEAD}<presence xmlns="urn:ietf:params:xml:ns:pidf"{spaces} entity={quoted(entity)}>\n'
        f'<tuple id="office"><status><basic>{basic}</basic></status><note>{note}</note></tuple>\n'
        f"<note>{note}</note>\n{person}</presence>\n"
    )


def message_summary(account: str, new: int, old: int) -> bytes:
    """How many messages wait in a mailbox; ``account`` is the URI that fetches them (RFC 3842 section 5.2)."""
    lines = [
        f"Messages-Waiting: {'yes' if new else 'no'}",
        f"Message-Account: {account}",
        f"Voice-Message: {new}/{old} (0/0)",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()
