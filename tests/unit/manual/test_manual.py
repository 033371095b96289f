"""The manual is true to the console, the command line and the files there are."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer

from tests.key_card import CARDS, MANUAL, TONGUES, explained, keys_of, page_with_tables
from tui.cli.app import app

ROOT = MANUAL.parents[1]
NAMES = ("administrator.md", "lua.md", "phones.md", "receptionist.md")
PAGES = [MANUAL / language / name for language in TONGUES for name in NAMES]
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
USAGE_ERROR = typer.BadParameter.__mro__[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def page_id(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def commands(path: Path) -> list[str]:
    """Every command line of a page, in blocks and in sentences."""
    text = path.read_text("utf-8")
    found = re.findall(r"^ *(frontdesk .*)$", text, re.MULTILINE)
    found += [span for span in re.findall(r"`(frontdesk [^`]+)`", text) if "…" not in span]
    return list(dict.fromkeys(found))


def anchors(path: Path) -> set[str]:
    """What can be linked to on a page, as GitHub makes it of the headings."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in HEADING.findall(path.read_text("utf-8"))
    }


@cache
def whole_command_line() -> typer.core.TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, typer.core.TyperGroup)
    return found


def parse(line: str) -> None:
    """Have the command line's own parser read a command; raises what it would say of it."""
    command, words = whole_command_line(), shlex.split(line)[1:]
    while isinstance(command, typer.core.TyperGroup):
        assert words, f"{line}: which command?"
        found = command.commands.get(words[0])
        assert found is not None, f"{line}: there is no {words[0]}"
        command, words = found, words[1:]
        if not words and isinstance(command, typer.core.TyperGroup):
            return  # the page speaks of the group as such
    command.make_context(command.name or "", words)


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_commands_are_understood(path: Path) -> None:
    assert commands(path), "a page of the manual has commands"
    for line in commands(path):
        parse(line)


def test_wrong_command_would_be_found() -> None:
    for line in ("frontdesk extension add 103 --colour red", "frontdesk fly", "frontdesk trunk add"):
        with pytest.raises((AssertionError, USAGE_ERROR)):
            parse(line)


@pytest.mark.parametrize("name", NAMES)
def test_languages_print_the_same_commands(name: str) -> None:
    english, chinese = (commands(MANUAL / language / name) for language in TONGUES)
    assert sorted(english) == sorted(chinese)


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text("utf-8")):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), f"{link} is not there"
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), f"{link}: no such heading; there are {anchors(target)}"


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_key_tables_are_fresh(path: Path) -> None:
    text = path.read_text("utf-8")
    assert page_with_tables(text, path.parent.name) == text, "run 'make manual'"


@pytest.mark.parametrize("language", TONGUES)
@pytest.mark.parametrize("card", CARDS)
def test_key_card_has_its_table(card: str, language: str) -> None:
    assert f"<!-- keys: {card} -->" in (MANUAL / language / "receptionist.md").read_text("utf-8")


@pytest.mark.parametrize("card", CARDS)
def test_every_key_is_told_once(card: str) -> None:
    told = [name for row in explained()[card] for name in row["keys"]]
    assert sorted(told) == sorted(keys_of(card))
