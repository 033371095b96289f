"""Every text of the console can be translated, and is: its own, and what the office refuses."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import engine
from engine.core.errors import NotAllowedError, RefusedError
from engine.desk.dispatch import TABLE
from engine.net.names import FixedNames
from engine.net.nat import Nat
from engine.net.public_address import PublicAddress
from engine.store.trouble import explain
from tui import causes, refusals
from tui.refusals import refusal_text, translated
from tui.texts import LANGUAGES, LOCALE_FOLDER, Tongue, _, language_of, plural, speak, translate

TUI = LOCALE_FOLDER.parent
ENGINE = Path(engine.__file__).parent
KEYWORDS = {"_": None, "N_": None, "translate": None, "plural": (1, 2)}
TRANSLATED = [name for name in LANGUAGES if name != "en"]
ON_THE_CONSOLES_WAY = (
    "desk/checks.py", "desk/counter.py", "desk/door.py", "desk/extension_commands.py", "desk/ladder_commands.py",
    "desk/trunk_checks.py", "desk/trunk_commands.py", "desk/routing_checks.py", "desk/route_commands.py",
    "desk/hours_commands.py", "desk/screening_commands.py", "desk/dry_run.py", "pbx/routing/schedule.py",
    "pbx/routing/times.py",
    "pbx/ladder.py", "pbx/office.py", "pbx/operator.py", "pbx/rights.py", "desk/deed_commands.py",
    "desk/service_checks.py", "desk/service_commands.py", "desk/operator_commands.py", "desk/module_commands.py",
    "desk/record_commands.py", "desk/machine_commands.py",
    "desk/phone_commands.py", "pbx/operator_phone.py", "pbx/taking.py",
)  # fmt: skip
"""Where the commands that the console asks may be refused."""
REFUSING = {"RefusedError", "NotFoundError", "NotAllowedError", "StateFolderError"}


def extracted() -> dict[str, tuple[str, ...]]:
    """Every marked text as the gettext tools find it, with its plural where it has one."""
    found: dict[str, tuple[str, ...]] = {}
    for path in TUI.rglob("*.py"):
        for _line, message, _comments, _context in extract("python", BytesIO(path.read_bytes()), keywords=KEYWORDS):
            forms = (message,) if isinstance(message, str) else tuple(message)
            found[forms[0]] = forms
    return found


def catalog(language: str) -> Catalog:
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "frontdesk.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> Iterator[tuple[str, Message]]:
    """The messages of a catalog by their singular; its header left out."""
    for message in catalog(language):
        if message.id:
            yield (message.id if isinstance(message.id, str) else message.id[0]), message


def strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def fields(text: str) -> list[tuple[str, str]]:
    """The placeholders of a text with their formats."""
    return sorted(
        (name, form or "") for _text, name, form, _conversion in Formatter().parse(text) if name is not None
    )


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_lacks_its_translation(language: str) -> None:
    known = {key for key, message in messages(language) if all(strings(message))}
    assert sorted(extracted().keys() - known) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over_guessed_or_obsolete(language: str) -> None:
    kept = catalog(language)
    assert sorted({key for key, _message in messages(language)} - extracted().keys()) == []
    assert [message.id for message in kept if message.id and message.fuzzy] == []
    assert list(kept.obsolete) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_their_fields(language: str) -> None:
    for key, message in messages(language):
        for string in strings(message):
            assert fields(string) == fields(key), key


@pytest.mark.parametrize("language", TRANSLATED)
def test_plurals_are_plurals_in_the_catalog_too(language: str) -> None:
    plurals = {forms[0]: forms for forms in extracted().values() if len(forms) > 1}
    assert {key: message.id for key, message in messages(language) if not isinstance(message.id, str)} == plurals


def test_no_text_is_put_together_before_it_is_looked_up() -> None:
    """``_(f"…")`` and ``_("a" + b)`` would never be found in a catalog."""
    found = []
    for path in TUI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
                is_built = isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
                found += [f"{path.name}:{node.lineno}"] if is_built else []
    assert found == []


# -- what the office refuses ------------------------------------------------------------------------------------


def refused_in(path: Path) -> set[str]:
    """The texts of every refusal that a file raises, with numbers where values are filled in."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
            found |= {text for argument in node.args if (text := template(argument)) is not None}
    return found


def template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return None
    text, count = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{count}}}"
            count += 1
    return text


def test_every_refusal_that_the_console_may_meet_is_in_its_catalog() -> None:
    refused = set().union(*(refused_in(ENGINE / name) for name in ON_THE_CONSOLES_WAY))
    assert len(refused) > 40
    assert sorted(refused - {*refusals.TEMPLATES}) == []


def test_every_trouble_of_an_outside_line_is_in_its_catalog() -> None:
    files = ("net/resolve.py", "net/trust.py", "pbx/trunks/troubles.py")
    troubles = set().union(*(refused_in(ENGINE / name) for name in files))
    assert len(troubles) > 20
    assert sorted(troubles - {*refusals.LINE_TEMPLATES}) == []
    assert in_chinese("192.0.2.1:5060 says 503 Busy: wait, or ask the carrier") == (
        "192.0.2.1:5060 回复 503 Busy：请稍候，或联系运营商"
    )


def test_every_deed_that_the_console_may_be_refused_is_in_its_catalog() -> None:
    asked = set()
    for path in TUI.rglob("*.py"):
        if "cli" not in path.parts:
            asked |= set(re.findall(r"\b[A-Z]\w+(?=\()", path.read_text(encoding="utf-8")))
    deeds = {
        entry.deed for command, entry in TABLE.items() if command.__name__ in asked or entry.is_change
    }  # the audit log tells of every change
    assert len(deeds) >= 9
    assert sorted(deeds - {*refusals.DEEDS}) == []


def test_what_a_full_disk_means_is_in_the_catalog() -> None:
    source = (ENGINE / "store" / "trouble.py").read_text(encoding="utf-8")
    for said in (
        "database or disk is full",
        "database is locked",
        "malformed",
        "readonly database",
        "disk I/O error",
    ):
        error = explain(OSError(said), Path("/srv/office"))
        assert in_chinese(error.what) != error.what
        assert in_chinese(error.mend) != error.mend
        assert error.mend in source


def in_chinese(text: str) -> str:
    import contextvars

    def say() -> str:
        speak(Tongue("zh_CN"))
        return translated(text)

    return contextvars.Context().run(say)


def test_a_refusal_is_said_in_the_language_of_the_console() -> None:
    import contextvars

    error = NotAllowedError("guest (viewer) may not release a call", "ask an operator with the role admin or above")

    def say() -> str:
        speak(Tongue("zh_CN"))
        return refusal_text(error)

    assert contextvars.Context().run(say) == "guest（观察员）无权挂断通话：请联系角色为 管理员 或更高的人员"
    assert refusal_text(error) == str(error)
    assert refusal_text(RefusedError("something new")) == "something new"
    assert in_chinese("something new") == "something new"
    assert in_chinese("there is no extension 107: see 'frontdesk extension list'") == (
        "没有分机 107：参见 'frontdesk extension list'"
    )


def test_causes_of_the_office_are_said_in_words() -> None:
    assert causes.cause_words("486 Busy Here") == "line busy"
    assert causes.cause_words("480 Phone Not Registered") == "phone not registered"
    for status in (408, 481, 503):
        assert causes.cause_words(f"{status} Callee Vanished") == "called phone vanished"
        assert causes.cause_words(f"{status} Caller Vanished") == "caller vanished"
    assert causes.cause_words("488 No Common Codec In G729") == "no common codec"
    assert causes.cause_words("488 Not Acceptable Here") == "audio not accepted"
    assert causes.cause_words("480 Temporarily Unavailable") == "not available"
    assert causes.cause_words("499 Strange\x1b[31m") == "499 Strange\ufffd[31m"


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


@pytest.mark.parametrize(
    "alarm",
    [
        "TLS: there is no certificate /office/cert.pem: put it there, in PEM form",
        "TLS: the key /office/k.pem does not belong to /office/c.pem: put the two there that were made together",
        "TLS: the key /office/key.pem may not be read: let the user that runs Frontdesk read it (chown, chmod)",
        "TLS: /office/cert.pem holds no certificate: put one in PEM form there, its chain behind it",
        "TLS: the TLS certificate /office/cert.pem expired on 2026-03-01: put a new one there",
    ],
)
def test_an_alarm_about_the_tls_certificate_is_said_in_the_language_of_the_console(alarm: str) -> None:
    said = in_chinese(alarm)
    assert "/office/" in said
    assert not re.search(r"\b(there|the|put|expired)\b", said)


def test_an_alarm_about_the_advertised_name_is_said_in_the_language_of_the_console() -> None:
    """As the engine makes it."""
    alarms: list[str] = []
    names = FixedNames()
    names.silent.add("gone.test")
    for name in ("gone.test", "none.test"):
        asyncio.run(PublicAddress(Nat(name, []), names, alarms.append).look_up())
    assert len(alarms) == 2
    for alarm in alarms:
        said = in_chinese(alarm)
        assert ".test" in said
        assert not re.search(r"\b(the|name|correct)\b", said)
