"""A console never shows or offers more than its operator's login may have now."""

from __future__ import annotations

import pytest

from engine.core.errors import RefusedError
from engine.desk.commands import Command
from engine.pbx.rights import Asker
from engine.store.configuration import Role
from tests.unit.tui.conftest import Office, OfficeMaker
from tui.screens.cards import PersonCard
from tui.screens.extensions import ExtensionsScreen
from tui.screens.switchboard import SwitchboardScreen


async def _become(here: Office, role: Role) -> None:
    here.desk.logins["desk"] = Asker("desk", role)
    here.draw()
    await here.pilot.pause()


async def test_a_removed_operator_is_shown_out_with_a_word(office: OfficeMaker) -> None:
    async with office() as here:
        del here.desk.logins["desk"]
        here.draw()
        await here.pilot.pause()
        assert not here.app.is_running
        assert here.app.farewell == "The login desk has been removed; the office goes on."


async def test_a_role_taken_away_takes_its_keys(office: OfficeMaker) -> None:
    async with office() as here:
        assert "release" in here.text.splitlines()[-1]
        await _become(here, Role.VIEWER)
        assert "release" not in here.text.splitlines()[-1]
        assert "your role is viewer now" in here.text
        await _become(here, Role.RECEPTIONIST)
        assert "release" in here.text.splitlines()[-1]


@pytest.mark.parametrize("keys", ["n", "n 5 escape", "n f1", "d", "w enter", "e"])
async def test_a_dialog_that_is_no_longer_allowed_closes(office: OfficeMaker, keys: str) -> None:
    async with office() as here:
        await here.pilot.press("ctrl+right", *keys.split())
        await here.pilot.pause()
        assert not isinstance(here.app.screen, ExtensionsScreen)
        await _become(here, Role.RECEPTIONIST)
        assert isinstance(here.app.screen, ExtensionsScreen)
        assert "new" not in here.text.splitlines()[-1]


async def test_a_dialog_that_is_still_allowed_stays_with_the_keys_that_are_left(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("1", "0", "2", "enter")
        assert "edit" in here.text
        await _become(here, Role.VIEWER)
        assert isinstance(here.app.screen, PersonCard)
        assert "edit" not in here.text


async def test_the_question_before_a_release_closes_with_the_right_to_release(office: OfficeMaker) -> None:
    async with office() as here:
        await here.pilot.press("minus")
        await _become(here, Role.VIEWER)
        assert isinstance(here.app.screen, SwitchboardScreen)


async def test_a_refused_list_says_so_and_never_that_the_office_is_empty(
    office: OfficeMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(asker: Asker, command: Command) -> None:
        raise RefusedError("the office is closing", "try again later")

    async with office() as here:
        monkeypatch.setattr(here.desk, "_obey", refuse)
        await here.pilot.press("ctrl+right")
        await here.pilot.pause()
        assert "✕ the office is closing: try again later" in here.text
        assert "no extensions" not in here.text
