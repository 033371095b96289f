"""The Groups screen and the forwarding of an extension on a real desk."""

from __future__ import annotations

from engine.desk.commands import AddOperator, ExtensionFields, OperatorFields, SetExtension
from engine.desk.services import AddGroup, GroupFields
from engine.pbx.rights import Asker
from engine.store.configuration import Right, Role
from engine.store.services import Group, GroupKind, HuntOrder
from tests.unit.tui.house import VERA, Open, house
from tui.screens.entity_form import EntityForm
from tui.screens.groups import GroupsScreen

__all__ = ["house"]

RITA = AddOperator("rita", OperatorFields(password="secret", role=Role.RECEPTIONIST))
RING = AddGroup("600", GroupFields(GroupKind.RING, ("101", "102")))


async def test_a_group_is_typed_checked_and_added(house: Open) -> None:
    async with house(screen="groups") as home:
        await home.shows("no groups yet")
        await home.shows("n adds the first one")
        await home.press("n")
        await home.type_in(number="101")
        await home.shows("101 is an extension already")
        await home.type_in(number="610", kind="chain")
        await home.shows("'chain' is not known")
        await home.type_in(kind="hunt", members="101, 199")
        await home.shows("there is no extension 199")
        await home.type_in(members="102 101", order="round-robin", timeout="0")
        await home.shows("the timeout cannot be 0")
        await home.type_in(timeout="15")
        await home.shows("Will be added")
        await home.press("f10")
        await home.until(lambda: "610" in home.configuration.groups)
        made = Group("610", GroupKind.HUNT, ("102", "101"), HuntOrder.ROUND_ROBIN, 15)
        assert home.configuration.groups["610"] == made
        await home.shows("one after the other")


async def test_a_taken_number_is_said_before_it_is_saved(house: Open) -> None:
    async with house(screen="groups", more=(RING,)) as home:
        await home.press("n")
        await home.type_in(number="600")
        await home.shows("group 600 exists already")


async def test_a_group_is_changed_removed_and_brought_back(house: Open) -> None:
    async with house(screen="groups", more=(RING,)) as home:
        await home.shows("101, 102")
        await home.press("e")
        await home.type_in(members="102")
        await home.shows("101, 102 → 102")
        await home.press("f10")
        await home.until(lambda: home.configuration.groups["600"].members == ("102",))
        await home.press("d", "y")
        await home.until(lambda: not home.configuration.groups)
        await home.shows("u brings it back")
        await home.press("u")
        await home.until(lambda: "600" in home.configuration.groups)
        assert home.configuration.groups["600"].members == ("102",)


async def test_a_viewer_only_looks_at_groups(house: Open) -> None:
    async with house(VERA, screen="groups", more=(RING,)) as home:
        await home.shows("101, 102")
        await home.press("n", "e", "d", "enter")
        assert isinstance(home.app.screen, GroupsScreen)
        assert "remove" not in home.office.text.splitlines()[-1]


async def test_calls_are_forwarded_by_the_right_of_their_extension(house: Open) -> None:
    rights = SetExtension("101", ExtensionFields(add_rights=frozenset({"forward-busy"})))
    async with house(screen="extensions", more=(rights,)) as home:
        await home.shows("101")
        await home.press("f")
        assert isinstance(home.app.screen, EntityForm)
        await home.type_in(always="102")
        await home.shows("no right to forward calls (always)")
        await home.type_in(always="", busy="101")
        await home.shows("101 is the extension itself")
        await home.type_in(busy="102")
        home.app.screen.query_one("#is_dnd").focus()
        await home.press("space")
        await home.shows("Do not disturb  no → yes")
        await home.press("f10")
        await home.until(lambda: home.configuration.extensions["101"].dnd)
        assert home.configuration.extensions["101"].forward_busy == "102"
        await home.shows("do not disturb")
        await home.press("f")
        home.app.screen.query_one("#is_dnd").focus()
        await home.press("space", "f10")
        await home.until(lambda: not home.configuration.extensions["101"].dnd)
        assert home.configuration.extensions["101"].forward_busy == "102"
        await home.shows("else 102")


async def test_a_receptionist_forwards_and_changes_nothing_else(house: Open) -> None:
    async with house(Asker("rita", Role.RECEPTIONIST), screen="extensions", more=(RITA,)) as home:
        await home.shows("101")
        await home.press("e", "n", "d")
        assert not isinstance(home.app.screen, EntityForm)
        await home.press("f")
        home.app.screen.query_one("#is_dnd").focus()
        await home.press("space", "f10")
        await home.until(lambda: home.configuration.extensions["101"].dnd)


async def test_rights_and_the_pin_stand_on_the_form(house: Open) -> None:
    async with house(screen="extensions") as home:
        await home.shows("101")
        await home.press("e")
        await home.type_in(rights="fly")
        await home.shows("unknown: fly")
        await home.type_in(rights="pickup, record", voicemail_pin="12")
        await home.shows("4 to 10 digits")
        await home.type_in(voicemail_pin="4711")
        await home.press("f10")
        await home.until(lambda: bool(home.configuration.extensions["101"].rights))
        changed = home.configuration.extensions["101"]
        assert changed.rights == {Right.PICKUP, Right.RECORD}
        assert changed.voicemail_pin


async def test_what_is_typed_after_tab_is_in_the_next_field(house: Open) -> None:
    """All in one go, as fast as a terminal sends it."""
    async with house(screen="groups") as home:
        await home.press("n")
        for key in ("6", "5", "0", "tab", *"hunt", "tab", *"102"):
            home.app.simulate_key(key)
        await home.shows("Members  102")
        await home.shows("Number  650")
        await home.shows("Kind  hunt")
