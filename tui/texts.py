"""Every text a person reads goes through here: gettext catalogs, one language per console."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import tzinfo
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""The languages a console speaks, each by its own name."""

LOCALE_FOLDER = Path(__file__).parent / "locale"


class Tongue:
    """The language of one console; change ``language`` and every text drawn from then on follows.

    ``zone`` is where its times are told; ``None`` is the machine's own.
    """

    def __init__(self, language: str = "en", zone: tzinfo | None = None) -> None:
        self.zone = zone
        self.language = language if language in LANGUAGES else "en"


_tongue: ContextVar[Tongue] = ContextVar("tongue")
_ENGLISH = Tongue()


def speak(tongue: Tongue) -> None:
    """Use this language in the current context and in every task that starts from it."""
    _tongue.set(tongue)


def language() -> str:
    """The language spoken in this context, such as ``zh_CN``."""
    return _tongue.get(_ENGLISH).language


def zone() -> tzinfo | None:
    """Where times are told in this context; ``None`` is the machine's own zone."""
    return _tongue.get(_ENGLISH).zone


def _(message: str) -> str:
    """``message`` in the language of this console."""
    return _catalog(language()).get(message, message)


def translate(message: str, environment: Mapping[str, str]) -> str:
    """``message`` in the language a terminal asks for, where no console speaks yet."""
    return _catalog(language_of(environment)).get(message, message)


def plural(one: str, many: str, count: int) -> str:
    """The form for ``count``, with its ``{n}`` filled in."""
    translated = _catalog(language()).get(one)
    return (translated or (one if count == 1 else many)).format(n=count)


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a text for translation that is looked up later with ``_``."""
    return message


def language_of(environment: Mapping[str, str]) -> str:
    """The console language that a terminal's LC_ALL, LC_MESSAGES or LANG asks for; English when unsure."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if wanted := environment.get(name):
            return "zh_CN" if wanted.lower().startswith("zh") else "en"
    return "en"


@cache
def _catalog(name: str) -> dict[str, str]:
    """Message to translation, read from the .po itself: no build step, and none that could be stale."""
    path = LOCALE_FOLDER / name / "LC_MESSAGES" / "frontdesk.po"
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po  # a tenth of a second that English never pays

    with path.open("rb") as file:
        messages = read_po(file, locale=name)
    texts: dict[str, str] = {}
    for message in messages:
        if message.id and not message.fuzzy:
            key = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
            if text:
                texts[key] = text
    return texts
