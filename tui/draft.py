"""An extension as it is being typed: what is wrong with it, what it would change, what to ask the desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.core.errors import RefusedError
from engine.core.params import RELAYED_CODECS
from engine.desk import checks, routing_checks
from engine.desk.commands import ExtensionFields
from engine.desk.routing_checks import DEFAULT_PLAN
from engine.store.configuration import Extension, HoldPolicy, Right
from tui.texts import N_, _

LABELS = {
    "number": N_("Number"),
    "name": N_("Name"),
    "password": N_("Password"),
    "multi_device": N_("Several phones at once"),
    "max_devices": N_("Phones at most"),
    "max_calls": N_("Calls at once"),
    "music": N_("Music on hold from us"),
    "codecs": N_("Codecs"),
    "email": N_("E-mail"),
    "level": N_("Call level"),
    "plan": N_("Dial plan"),
    "outside_number": N_("Number shown outside"),
    "max_out": N_("Calls out at once"),
    "from_network": N_("Only from network"),
    "rights": N_("Rights"),
    "voicemail_pin": N_("Voicemail PIN"),
}


_EMPTIED = (
    "name", "email", "codecs", "max_calls", "level", "plan", "outside_number", "max_out", "from_network",
)  # fmt: skip
"""Fields that may be empty; the desk is told which were emptied."""
_SECRET = ("password", "voicemail_pin")
"""Fields whose value is never shown: empty leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's fields as typed."""

    number: str = ""
    name: str = ""
    password: str = ""
    multi_device: bool = False
    max_devices: str = "3"
    max_calls: str = "2"
    music: bool = True
    codecs: str = ""
    email: str = ""
    level: str = ""
    plan: str = DEFAULT_PLAN
    outside_number: str = ""
    max_out: str = ""
    from_network: str = ""
    rights: str = ""
    voicemail_pin: str = ""

    @classmethod
    def of(cls, extension: Extension) -> Draft:
        """The form filled with what an extension is now."""
        return cls(
            number=extension.number,
            name=extension.name or "",
            multi_device=extension.multi_device,
            max_devices=str(extension.max_devices),
            max_calls="" if extension.max_calls is None else str(extension.max_calls),
            music=extension.hold is HoldPolicy.LOCAL,
            codecs=", ".join(extension.codecs),
            email=extension.email or "",
            level=extension.level or "",
            plan=extension.plan,
            outside_number=extension.outside_number or "",
            max_out="" if extension.max_out is None else str(extension.max_out),
            from_network=extension.from_network or "",
            rights=", ".join(sorted(extension.rights)),
        )

    @property
    def right_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in re.split(r"[,\s]+", self.rights) if name)

    @property
    def codec_names(self) -> tuple[str, ...]:
        return tuple(name.upper() for name in re.split(r"[,\s]+", self.codecs) if name)

    def problems(self, taken: Collection[str]) -> dict[str, str]:
        """What is wrong, by field, in the office's words; ``taken`` are the numbers that exist already.

        What may be typed is the desk's to decide; the words are ours, because they are translated.
        """
        found: dict[str, str] = {}
        number, email = self.number.strip(), self.email.strip()
        if not number:
            found["number"] = _("type the number people dial")
        elif _is_refused(checks.check_number, number):
            found["number"] = _("2 to 15 digits")
        elif number in taken:
            found["number"] = _("this number exists already")
        if self.name.strip() and _is_refused(checks.check_name, self.name):
            found["name"] = _("64 characters at most")
        if self.password and not self.password.isascii():
            found["password"] = _("plain letters, digits and signs only: phones type nothing else")
        elif self.password and _is_refused(checks.check_phone_password, number, self.password):
            found["password"] = _("too short, too long, or the number itself; empty makes a strong one")
        if self.multi_device and not _is_count(self.max_devices, checks.MOST_DEVICES):
            found["max_devices"] = _("a number from 1 to {most}").format(most=checks.MOST_DEVICES)
        if self.max_calls.strip() and not _is_count(self.max_calls, checks.MOST_CALLS):
            found["max_calls"] = _("a number from 1 to {most}; empty is unlimited").format(most=checks.MOST_CALLS)
        if unknown := [name for name in self.codec_names if name not in RELAYED_CODECS]:
            found["codecs"] = _("unknown: {names}; there are {known}").format(
                names=", ".join(unknown), known=", ".join(RELAYED_CODECS)
            )
        if email and _is_refused(checks.check_email, email):
            found["email"] = _("an address such as anna@office.example")
        if unknown := sorted(self.right_names - {*Right}):
            found["rights"] = _("unknown: {names}; there are {known}").format(
                names=", ".join(unknown), known=", ".join(Right)
            )
        if self.voicemail_pin.strip() and _is_refused(checks.check_pin, self.voicemail_pin.strip()):
            found["voicemail_pin"] = _("4 to 10 digits")
        found |= self._problems_outside()
        return found

    def _problems_outside(self) -> dict[str, str]:
        """What is wrong with the fields about calls to the outside and about the network."""
        found: dict[str, str] = {}
        checked = (
            ("level", _check_name, _("the name of a call level")),
            ("plan", _check_name, _("a name of letters and digits")),
            ("outside_number", checks.check_outside_number, _("2 to 20 digits, perhaps behind +")),
            ("from_network", routing_checks.check_network, _("a network such as 192.0.2.0/24")),
        )
        for field, check, problem in checked:
            typed = str(getattr(self, field)).strip()
            if typed and _is_refused(check, typed):
                found[field] = problem
        if self.max_out.strip() and not _is_count(self.max_out, checks.MOST_CALLS, least=0):
            most = checks.MOST_CALLS
            found["max_out"] = _("a number from 0 to {most}; empty is unlimited").format(most=most)
        return found

    def changes(self, before: Draft) -> list[tuple[str, str, str]]:
        """(label, old, new) of each field that would change; a password shows only that it changes."""
        found = []
        for field, label in LABELS.items():
            old, new = getattr(before, field), getattr(self, field)
            if field in _SECRET:
                if new:
                    found.append((_(label), "", _("a new one")))
            elif _comparable(old) != _comparable(new):
                found.append((_(label), _shown(field, old), _shown(field, new)))
        return found

    def fields(self, before: Draft) -> ExtensionFields:
        """What to ask of the desk so that an extension that is ``before`` becomes this; the draft is valid."""
        changed = {
            field for field in LABELS if _comparable(getattr(self, field)) != _comparable(getattr(before, field))
        }
        clear = {field for field in _EMPTIED if field in changed and not getattr(self, field).strip()}
        kept = changed - clear
        return ExtensionFields(
            name=self.name.strip() if "name" in kept else None,
            password=self.password or None,
            multi_device=self.multi_device if "multi_device" in kept else None,
            max_devices=int(self.max_devices) if "max_devices" in kept and self.max_devices.strip() else None,
            max_calls=int(self.max_calls) if "max_calls" in kept else None,
            hold=(HoldPolicy.LOCAL if self.music else HoldPolicy.PASS) if "music" in kept else None,
            codecs=self.codec_names if "codecs" in kept else None,
            email=self.email.strip() if "email" in kept else None,
            level=self.level.strip() if "level" in kept else None,
            plan=self.plan.strip() if "plan" in kept else None,
            outside_number=self.outside_number.strip() if "outside_number" in kept else None,
            max_out=int(self.max_out) if "max_out" in kept else None,
            from_network=self.from_network.strip() if "from_network" in kept else None,
            add_rights=self.right_names - before.right_names,
            remove_rights=before.right_names - self.right_names,
            voicemail_pin=self.voicemail_pin.strip() or None,
            clear=frozenset(clear),
        )


def _check_name(text: str) -> object:
    return routing_checks.check_word(text, "level")


def _is_refused(check: Callable[..., object], *typed: str) -> bool:
    try:
        check(*typed)
    except RefusedError:
        return True
    return False


def _is_count(text: str, most: int, least: int = 1) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and least <= int(text) <= most


def _comparable(value: str | bool) -> str | bool:
    return value if isinstance(value, bool) else value.strip()


def _shown(field: str, value: str | bool) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value.strip():
        return value.strip()
    return {"max_calls": _("unlimited"), "max_out": _("unlimited"), "codecs": _("the office's")}.get(field, "–")
