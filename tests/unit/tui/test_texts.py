"""Every text can be translated, and is."""

from __future__ import annotations

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from tui.texts import LANGUAGES, LOCALE_FOLDER, Tongue, _, language_of, plural, speak, translate

SOURCES = list(Path(LOCALE_FOLDER.parent).rglob("*.py"))


def _texts_in_code() -> set[str]:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("_", "N_", "plural")
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
    return found


def _catalog(language: str) -> dict[str, str]:
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "frontdesk.po").open("rb") as file:
        return {
            (message.id if isinstance(message.id, str) else message.id[0]): (
                message.string if isinstance(message.string, str) else message.string[0]
            )
            for message in read_po(file)
            if message.id and not message.fuzzy
        }


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_no_text_lacks_its_translation(language: str) -> None:
    catalog = _catalog(language)
    assert sorted(text for text in _texts_in_code() if not catalog.get(text)) == []


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_no_translation_is_left_over(language: str) -> None:
    assert sorted(_catalog(language).keys() - _texts_in_code()) == []


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_translations_keep_their_fields(language: str) -> None:
    for text, translated in _catalog(language).items():
        assert sorted(re.findall(r"\{.*?\}", text)) == sorted(re.findall(r"\{.*?\}", translated)), text


def test_extraction_finds_every_text() -> None:
    found = set()
    for path in SOURCES:
        for _line, message, _comments, _context in extract(
            "python", BytesIO(path.read_bytes()), keywords={"_": None, "N_": None, "plural": (1, 2)}
        ):
            found.add(message if isinstance(message, str) else message[0])
    assert _texts_in_code() <= found


def test_languages_do_not_mix_between_contexts() -> None:
    import contextvars

    def greet(language: str) -> str:
        speak(Tongue(language))
        return _("free") + plural("{n} call", "{n} calls", 2)

    assert contextvars.Context().run(greet, "zh_CN") == "空闲2 个通话"
    assert contextvars.Context().run(greet, "en") == "free2 calls"
    assert _("free") == "free"


def test_language_follows_the_terminal() -> None:
    assert language_of({"LANG": "zh_CN.UTF-8"}) == "zh_CN"
    assert language_of({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}) == "en"
    assert language_of({"LANG": "de_DE.UTF-8"}) == "en"
    assert language_of({}) == "en"
    assert translate("free", {"LANG": "zh_CN"}) == "空闲"
