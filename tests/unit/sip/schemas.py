"""Checks documents of NOTIFYs against what the RFCs allow; the schemas are in ``tests/data/xsd``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import xmlschema

FOLDER = Path(__file__).parents[2] / "data" / "xsd"
OF_KIND = {
    "application/dialog-info+xml": "dialog-info",
    "application/pidf+xml": "pidf",
    "application/rlmi+xml": "rlmi",
}


@cache
def _schema(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(FOLDER / f"{name}.xsd")


def check(kind: str, document: bytes | str) -> None:
    """Fail when a document of this media type is not as its RFC allows."""
    text = document.decode() if isinstance(document, bytes) else document
    _schema(OF_KIND[kind.partition(";")[0].strip()]).validate(text)
