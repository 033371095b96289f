"""The Services screen: what leads to services, and the services themselves with their text and last error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.errors import RefusedError
from engine.desk.commands import Command
from engine.desk.dialling import Checked, Flaw
from engine.desk.service_checks import check_service_name
from engine.desk.services import ListServices, ReadService, ServiceText, ServiceView, WriteService
from engine.store.configuration import Role
from tui.keys import KIND_LIST, LISTS, NUMBERED, SCREENS, SERVICES, bindings
from tui.kind import Field, Kind, checked
from tui.refusals import refusal_text
from tui.screens.ask_fields import AskFields
from tui.screens.kind_screen import REFUSED, KindScreen
from tui.screens.lua_editor import LuaEditor
from tui.service_kind import Services, Triggers
from tui.texts import N_, _, plural

NEW_TEXT = """-- {name}: what this service is for.

local service = {{}}

function service.run(call)
  call:answer()
  call:play("beep")
end

return service
"""
"""What a new service begins as."""
_NAME = Field("name", N_("Name"), N_("such as lunch_menu"))


class ServicesScreen(KindScreen, inherit_bindings=False):
    """Services in Lua."""

    BINDINGS = bindings(KIND_LIST, SERVICES, NUMBERED, LISTS, SCREENS)
    KINDS = (Services(), Triggers())
    help_text = N_(
        "The key l shows what leads to services. Enter reads the text of a service; e makes it the office's own."
    )

    def __init__(self) -> None:
        super().__init__()
        self._removed: ServiceText | None = None
        """The office's own text that was removed last."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        is_services = isinstance(self.kind, Services)
        if action in ("new", "edit") and is_services:
            is_admin = self.console_app.may(Role.ADMIN)
            return is_admin and self._has_panels and (action == "new" or bool(self._list.rows))
        if action == "remove" and is_services and self._has_panels:
            item = self._under_cursor()
            return self.console_app.may(Role.ADMIN) and isinstance(item, ServiceView) and item.is_own
        if action == "reload":
            return is_services
        return super().check_action(action, parameters)

    async def open_item(self, key: str) -> None:
        if not isinstance(self.kind, Services):
            await super().open_item(key)
        elif self.console_app.may(Role.ADMIN):
            await self._open_text(key, is_reading=True)
        else:
            self.console_app.say(_("the text of a service is for administrators"), is_refusal=True)

    async def action_new(self) -> None:
        if not isinstance(self.kind, Services):
            await super().action_new()
            return

        def begin(typed: dict[str, str] | None) -> None:
            if typed:
                text = ServiceText(typed["name"], "", True, NEW_TEXT.format(name=typed["name"]))
                self.app.push_screen(LuaEditor(text, is_new=True), self._after_writing)

        form = AskFields(_("New service"), (_NAME,), {}, self._check_name, Role.ADMIN)
        self.app.push_screen(form, begin)

    async def action_edit(self) -> None:
        if not isinstance(self.kind, Services):
            await super().action_edit()
        elif (item := self.chosen()) is not None:
            await self._open_text(item.name, is_reading=False)

    def action_remove(self) -> None:
        if isinstance(self.kind, Services):
            self.run_worker(self._remove_own())
        else:
            super().action_remove()

    def restoring(self, kind: Kind, item: Any) -> Command | None:
        if isinstance(item, ServiceView):
            text = self._removed
            return WriteService(text.name, text.source) if text and text.name == item.name else None
        return super().restoring(kind, item)

    async def _remove_own(self) -> None:
        """Ask before an own text goes, which is kept here so that ``u`` can bring it back."""
        item = self.chosen()
        if item is None:
            return
        text = await self.do(ReadService(item.name))
        if isinstance(text, ServiceText):
            self._removed = text
            super().action_remove()

    async def action_reload(self) -> None:
        """Read every file now and say what came of it; every call does so by itself."""
        services = await self.do(ListServices())
        if services is REFUSED:
            return
        assert isinstance(services, tuple)
        broken = [each.name for each in services if each.error]
        self._take(services)
        self.draw_now()
        said = plural("{n} service can be used", "{n} services can be used", len(services) - len(broken))
        if broken:
            said += "   " + _("do not compile: {names}").format(names=", ".join(broken))
        self.console_app.say(said, is_refusal=bool(broken))

    def _check_name(self, typed: Mapping[str, str]) -> Checked:
        name = typed["name"]
        if any(item.name == name for item in self._items):
            return Checked((Flaw("name", f"there is a service {name} already", "edit that one"),))
        return checked(("name", lambda: check_service_name(name)))

    async def _open_text(self, name: str, *, is_reading: bool) -> None:
        try:
            text: ServiceText = await self.console_app.ask(ReadService(name))
        except RefusedError as error:
            self.console_app.say(refusal_text(error), is_refusal=True)
            return
        self.app.push_screen(LuaEditor(text, is_reading=is_reading), self._after_writing)

    async def _after_writing(self, name: str | None) -> None:
        if name:
            self.look_at(name)
            await self._load()
