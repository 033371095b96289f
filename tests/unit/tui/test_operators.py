"""The Operators and the Audit screen on a real desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.core.audit import AuditEntry, Outcome
from engine.desk.dispatch import TABLE, deeds_by_action
from engine.pbx.rights import Asker
from engine.store.configuration import Role
from engine.store.store import Store
from tests.unit.tui.conftest import MONDAY
from tests.unit.tui.house import VERA, Open, house
from tui.audit_kind import deed_words
from tui.screens.entity_form import EntityForm
from tui.screens.new_phone import NewLogin
from tui.screens.operators import OperatorsScreen
from tui.screens.question import Question

__all__ = ["house"]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1Kb6x3vXW1oUvpPt4vZ8rVwzqkXv2mJt0l8n3qHq1c anna@laptop"


async def test_an_operator_is_typed_checked_and_added_with_a_password(house: Open) -> None:
    async with house(screen="operators") as home:
        await home.shows("administrator")
        await home.press("n")
        await home.type_in(login="vera")
        await home.shows("operator vera exists already")
        await home.type_in(login="rita", role="chief")
        await home.shows("'chief' is not known")
        await home.type_in(role="supervisor", extension="199")
        await home.shows("there is no extension 199")
        await home.type_in(extension="102", key="ssh-ed25519")
        await home.shows("this is no OpenSSH public key")
        await home.type_in(key="", password="abc")
        await home.shows("the password has 3 characters")
        await home.type_in(password="")
        await home.press("f10")
        await home.until(lambda: isinstance(home.app.screen, NewLogin))
        await home.shows("Give this to the operator")
        made = home.configuration.operators["rita"]
        assert (made.role, made.extension) == (Role.SUPERVISOR, "102")
        assert made.password_hash


async def test_role_phone_and_keys_are_changed(house: Open) -> None:
    async with house(screen="operators") as home:
        await home.shows("vera")
        await home.press("end", "e")
        await home.type_in(role="receptionist", extension="101", key=KEY)
        await home.shows("viewer → receptionist")
        await home.press("f10")
        await home.until(lambda: home.configuration.operators["vera"].role is Role.RECEPTIONIST)
        assert home.configuration.operators["vera"].keys == (KEY,)
        await home.shows("ssh-ed25519 …Jt0l8n3qHq1c anna@laptop")
        await home.press("e")
        home.app.screen.query_one("#has_no_keys").focus()
        await home.press("space")
        await home.type_in(extension="")
        await home.press("f10")
        await home.until(lambda: not home.configuration.operators["vera"].keys)
        assert home.configuration.operators["vera"].extension is None


async def test_the_last_administrator_and_the_own_login_stay(house: Open) -> None:
    async with house(screen="operators") as home:
        await home.shows("administrator")
        await home.press("e")
        await home.type_in(role="viewer")
        await home.press("f10")
        await home.shows("this is the last administrator")
        await home.press("escape", "y", "d")
        await home.shows("this is your own login")
        assert "boss" in home.configuration.operators


async def test_an_operator_is_removed_for_good(house: Open) -> None:
    async with house(screen="operators") as home:
        await home.shows("vera")
        await home.press("end", "d")
        await home.shows("its password is gone for good")
        await home.press("y")
        await home.until(lambda: "vera" not in home.configuration.operators)
        assert "u brings it back" not in home.office.text


async def test_operators_are_for_administrators(house: Open) -> None:
    async with house(VERA, screen="operators") as home:
        await home.shows("vera (viewer) may not list operators")
        await home.press("n", "e", "d")
        assert isinstance(home.app.screen, OperatorsScreen)


def entries() -> tuple[AuditEntry, ...]:
    def ago(minutes: int) -> object:
        return MONDAY - timedelta(minutes=minutes)

    told: tuple[tuple[int, str, str | None, str, str | None, Outcome, str | None], ...] = (
        (2, "rita", "102", "barge-in", "7f3a", Outcome.REFUSED, "104 is protected by overstep"),
        (5, "boss", None, "set-trunk", "telekom", Outcome.DONE, None),
        (9, "rita", "102", "transfer", "81c2", Outcome.FAILED, "the phone did not answer"),
        (70, "owner", None, "add-extension", "105", Outcome.DONE, None),
        (90, "boss", "101", "listen", "6b11", Outcome.DONE, "training"),
    )
    return tuple(AuditEntry(ago(at), *rest) for at, *rest in told)  # type: ignore[arg-type]


def keep_audit(store: Store) -> None:
    for entry in reversed(entries()):
        store.put_audit(entry)


@pytest.fixture
def deeds(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state")
    keep_audit(store)
    store.close()


@pytest.mark.usefixtures("deeds")
async def test_the_audit_log_is_listed_and_chosen_from(house: Open) -> None:
    async with house(screen="audit") as home:
        await home.shows("104 is protected by overstep")
        await home.press("f")
        await home.type_in(outcome="lost")
        await home.shows("'lost' is not known")
        await home.type_in(outcome="refused")
        await home.press("f10")
        await home.until(lambda: "telekom" not in home.office.text)
        await home.shows("barge in")
        await home.press("f")
        await home.type_in(outcome="all", who="102", about="81c2")
        await home.press("f10")
        await home.shows("the phone did not answer")
        await home.until(lambda: "overstep" not in home.office.text)


@pytest.mark.usefixtures("deeds")
async def test_nothing_of_the_audit_log_is_changed_or_removed(house: Open) -> None:
    async with house(screen="audit") as home:
        await home.shows("overstep")
        await home.press("n", "e", "d", "enter", "u")
        assert not isinstance(home.app.screen, EntityForm | Question)
        assert "remove" not in home.office.text.splitlines()[-1]


@pytest.mark.usefixtures("deeds")
async def test_the_audit_log_is_for_supervisors(house: Open) -> None:
    async with house(Asker("vera", Role.VIEWER), screen="audit") as home:
        await home.shows("may not see the audit log")
        assert "overstep" not in home.office.text


def test_every_action_has_its_words() -> None:
    changes = [entry for entry in TABLE.values() if entry.is_change]
    assert set(deeds_by_action().values()) == {entry.deed for entry in changes}
    assert deed_words("set-trunk") == "change a trunk"
    assert deed_words("transfer") == "transfer a call"
    assert deed_words("whisper") == "whisper"
    assert deed_words("of-a-later-release") == "of-a-later-release"
