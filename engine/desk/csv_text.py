"""Call records as a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from engine.core.views import CallRecord
from engine.desk.documents import record_document

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9*#]+")
CSV_COLUMNS = (
    "id", "linked_id", "caller", "callee", "trunk_in", "trunk_out", "started_at", "answered_at", "ended_at",
    "duration_s", "released_by", "cause", "codec", "mos", "recording",
)  # fmt: skip


def csv_of(records: Iterable[CallRecord]) -> str:
    """The records as a CSV file with a line of titles."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for record in records:
        document = record_document(record)
        writer.writerow([_inert(document[name]) for name in CSV_COLUMNS])
    return text.getvalue()


def _inert(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: callers say of themselves what they like."""
    is_formula = isinstance(value, str) and value[:1] in _FORMULA and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value
