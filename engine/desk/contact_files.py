"""Contacts from files: vCard (2.1, 3.0 and 4.0) and CSV, as other programs write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from engine.core.errors import RefusedError
from engine.store.contacts import Contact

_NUMBER_COLUMNS = (
    "number",
    "phone",
    "tel",
    "telephone",
    "mobile",
    "nummer",
    "telefon",
    "rufnummer",
    "号码",
    "电话",
)
_NAME_COLUMNS = ("name", "full name", "display name", "fn", "contact", "firma", "company", "姓名", "名称")
_NOTE_COLUMNS = ("note", "notes", "comment", "notiz", "bemerkung", "备注")


def read_contacts_file(text: str) -> tuple[Contact, ...]:
    """The contacts of a file, one for each number; raises ``RefusedError`` that names the place."""
    read = _of_vcards if "BEGIN:VCARD" in text[:4096].upper() else _of_csv
    found = tuple(read(text))
    if not found:
        raise RefusedError(
            "the file holds no contact with a number", "use vCard, or CSV with columns number and name"
        )
    return found


def _of_vcards(text: str) -> Iterator[Contact]:
    import vobject  # a tenth of a second that only an import pays

    try:
        for count, card in enumerate(vobject.readComponents(text, allowQP=True), 1):
            name = _name_of(card)
            note = _text_of(card, "note")
            for tel in getattr(card, "tel_list", ()):
                number = str(tel.value).removeprefix("tel:").partition(";")[0]
                if not number.strip():
                    continue
                if not name:
                    raise RefusedError(f"card {count} has a number and no name", "give it one, or leave it out")
                yield Contact(number, name, note)
    except RefusedError:
        raise
    except Exception as error:  # the library raises whatever its parts do
        raise RefusedError(f"the vCards cannot be read: {error}", "export them anew, as vCard 3.0") from None


def _name_of(card: object) -> str:
    company = getattr(getattr(card, "org", None), "value", None)
    full = _text_of(card, "fn")
    return full or (" ".join(company) if isinstance(company, list) else str(company or "")).strip()


def _text_of(card: object, name: str) -> str | None:
    value = getattr(getattr(card, name, None), "value", None)
    return " ".join(str(value).split()) or None if value is not None else None


def _of_csv(text: str) -> Iterator[Contact]:
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text[:4096], ",;\t")
    except csv.Error:
        dialect = "excel"
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")), dialect)
    try:
        head = next(rows, [])
        numbers, names, notes = (_column(head, known) for known in (_NUMBER_COLUMNS, _NAME_COLUMNS, _NOTE_COLUMNS))
        if numbers is None or names is None:
            raise RefusedError(
                "the first line of the file names no columns for number and name",
                "write it like 'number,name,note'",
            )
        for row in rows:
            number, name = _cell(row, numbers), _cell(row, names)
            if not number:
                continue
            if not name:
                raise RefusedError(f"line {rows.line_num} has a number and no name", "give it one, or leave it out")
            yield Contact(number, name, _cell(row, notes) or None)
    except csv.Error as error:
        raise RefusedError(f"line {rows.line_num} cannot be read: {error}", "save the file as CSV anew") from None


def _column(head: Iterable[str], known: tuple[str, ...]) -> int | None:
    titles = [title.strip().casefold() for title in head]
    return next((titles.index(title) for title in known if title in titles), None)


def _cell(row: list[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""
