"""The forms of one telephone number: as dialled here, national, international and with ``+`` (E.164)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SEPARATORS = re.compile(r"[-.() /]")


class Numbering:
    """How numbers are dialled where the office stands; each form is empty where the site has none."""

    __slots__ = ("country", "form", "international", "national", "outside")

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.country: str = params["country_code"] or ""
        self.national: str = params["national_prefix"] or ""
        self.international: str = params["international_prefix"] or ""
        outside = params["outside_prefix"]
        self.outside: str | None = None if outside == "rules" else outside or ""
        """What is dialled before outside numbers; ``None`` when only routes lead outside."""
        self.form: str = params["trunk_number_form"]

    def global_form(self, number: str) -> str | None:
        """``+`` and the whole number; ``None`` for one that is not known to be an outside number."""
        if number.startswith("+"):
            return number
        if self.international and number.startswith(self.international):
            return "+" + number[len(self.international) :]
        if self.country and self.national and number.startswith(self.national):
            return f"+{self.country}{number[len(self.national) :]}"
        return None

    def local_form(self, number: str) -> str:
        """A number with ``+`` as it is dialled here, without the outside prefix; any other as it is."""
        if not number.startswith("+"):
            return number
        if self.country and number.startswith(self.country, 1):
            return self.national + number[1 + len(self.country) :]
        return self.international + number[1:]

    def forms(self, number: str) -> tuple[str, ...]:
        """Every way of writing the number that means the same, as it is first: to be compared with prefixes."""
        written = _SEPARATORS.sub("", number)
        whole = self.global_form(written)
        if whole is None and self.country and written.startswith(self.country):
            whole = "+" + written  # carriers leave the + out
        if whole is None:
            return (number,) if written == number else (number, written)
        same = (number, written, whole, whole[1:], self.international + whole[1:], self.local_form(whole))
        return tuple(dict.fromkeys(same))

    def forms_dialled(self, number: str) -> tuple[str, ...]:
        """The same of a number that may stand behind the outside prefix."""
        forms = self.forms(number)
        outside = self.outside
        if outside and number.startswith(outside) and len(number) > len(outside):
            forms += self.forms(number[len(outside) :])
        return forms

    def as_dialled(self, number: str) -> str:
        """A number as a phone sent it in the form in which rules are written: ``+49 30 1`` becomes ``9030 1``."""
        if number.isdigit():
            return number
        written = _SEPARATORS.sub("", number)
        if written.startswith("+") and written[1:].isdigit():
            return (self.outside or "") + self.local_form(written)
        return written if written.isdigit() else number

    def for_phone(self, number: str) -> str:
        """An outside caller's number as a phone can dial it; as it came where the site has no country code."""
        if not self.country:
            return number
        whole = self.global_form(_SEPARATORS.sub("", number))
        return number if whole is None else (self.outside or "") + self.local_form(whole)

    def for_trunk(self, number: str) -> str:
        """A number as the site's carriers want it."""
        if self.form == "dialled":
            return number
        whole = self.global_form(number)
        if whole is None:
            return number
        return whole if self.form == "plus" else whole[1:]
