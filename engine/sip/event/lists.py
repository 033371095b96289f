"""Resource lists: the bodies of NOTIFYs that speak of many lamps at once (RFC 4662 section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.sip.event.bodies import HEAD, escaped, quoted

RLMI = "application/rlmi+xml"
MULTIPART = "multipart/related"


class Instance(NamedTuple):
    """How one resource of a list stands."""

    uri: str
    title: str
    """What a panel may write beside its lamp; empty for nothing."""
    kind: str
    """The media type of ``document``."""
    document: str


def list_body(
    uri: str, version: int, instances: Sequence[Instance], mark: str, *, is_full: bool
) -> tuple[str, bytes]:
    """Content-Type and body of a NOTIFY about the list ``uri``.

    ``mark`` is a word of this subscription that no document holds: it makes the boundary and the Content-IDs, which
    the version makes other ones in each NOTIFY. With ``is_full`` false other resources stay as they were told.
    """
    root = f"{version}@{mark}"
    lines = [
        f'{HEAD}<list xmlns="urn:ietf:params:xml:ns:rlmi" uri={quoted(uri)} version="{version}" '
        f'fullState="{"true" if is_full else "false"}">\n'
    ]
    parts = []
    for place, instance in enumerate(instances):
        cid = f"{version}.{place}@{mark}"
        name = f"<name>{escaped(instance.title)}</name>" if instance.title else ""
        lines.append(
            f'<resource uri={quoted(instance.uri)}>{name}<instance id="i" state="active" cid="{cid}"/></resource>\n'
        )
        parts.append(_part(mark, cid, instance.kind, instance.document))
    lines.append("</list>\n")
    parts.insert(0, _part(mark, root, f'{RLMI};charset="UTF-8"', "".join(lines)))
    parts.append(f"--{mark}--\r\n")
    kind = f'{MULTIPART};type="{RLMI}";start="<{root}>";boundary="{mark}"'
    return kind, "".join(parts).encode()


def _part(mark: str, cid: str, kind: str, text: str) -> str:
    head = f"Content-Transfer-Encoding: binary\r\nContent-ID: <{cid}>\r\nContent-Type: {kind}\r\n"
    return f"--{mark}\r\n{head}\r\n{text}\r\n"


def size_of(instance: Instance, mark: str) -> int:
    """Bytes that an instance takes in a body, about: a little more rather than less."""
    texts = (instance.uri, instance.title, instance.kind, instance.document)
    return sum(len(text.encode()) for text in texts) + 3 * len(mark) + _FRAME


_FRAME = 230
"""Bytes around an instance: its part's header fields, and its resource in the list."""
