"""A screen of what was: the newest first, chosen by a few values, older ones on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from engine.core.errors import RefusedError
from engine.desk.dialling import Checked
from engine.store.configuration import Role
from tui.kind import Field, Past, flaw_of
from tui.moments import read_moment
from tui.screens.ask_fields import AskFields
from tui.screens.kind_screen import KindScreen
from tui.texts import N_, _

PAGE = 500
"""How many are asked for at once: a year of them would take seconds to send and to look through."""

SINCE = Field("since", N_("Since"), N_("2026-03-02, 09:30, 2h or 7d"))
BEFORE = Field("before", N_("Before"), N_("empty: now"))


class HistoryScreen(KindScreen, inherit_bindings=False):
    """Subclasses bring the kind, the fields to choose by, and what they ask for."""

    CHOICES: ClassVar[tuple[Field, ...]] = ()
    choose_title = ""
    plain: ClassVar[Mapping[str, str]] = {}
    """What the fields say while nothing is chosen."""

    def __init__(self, past: Past) -> None:
        super().__init__()
        self._past = past
        past.asked = replace(past.asked, limit=PAGE + 1)
        self._typed: dict[str, str] = dict(self.plain)
        """What is chosen, as it was typed."""
        self.KINDS = (past,)  # type: ignore[misc]

    def asked(self, typed: Mapping[str, str]) -> Any:
        """The command for what was typed, whatever its limit; raises ``RefusedError``."""
        raise NotImplementedError

    def check_more(self, typed: Mapping[str, str]) -> Checked:
        """What else is wrong with what was typed."""
        return Checked()

    def list_title(self) -> str:
        chosen = [value for name, value in self._typed.items() if value and value != self.plain.get(name)]
        title = _(self._past.title) + (f"   {', '.join(chosen)}" if chosen else "")
        if self._has_older:
            title += "   " + _("the newest {n}; o asks for older ones").format(n=self._limit)
        return title

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("new", "edit", "remove"):
            return False
        if action == "older":
            return self._has_older
        return super().check_action(action, parameters)

    def _empty_text(self) -> str:
        is_plain = self._typed == dict(self.plain)
        return super()._empty_text() if is_plain or self.search else _("nothing of the kind: f chooses anew")

    async def open_item(self, key: str) -> None:
        """What was cannot be changed: the panel below says what is known of it."""

    async def action_older(self) -> None:
        self._past.asked = replace(self._past.asked, limit=self._limit + PAGE + 1)
        await self._load()

    def action_choose(self) -> None:
        """Let it be said which ones are wanted."""

        async def choose(typed: dict[str, str] | None) -> None:
            if typed is None:
                return
            self._typed = typed
            self._past.asked = replace(self.asked(typed), limit=PAGE + 1)
            await self._load()
            self._list.point_first()

        form = AskFields(_(self.choose_title), self.CHOICES, self._typed, self._check_choice, Role.VIEWER)
        self.app.push_screen(form, choose)

    def moment(self, text: str) -> datetime | None:
        """A time as it was typed; raises ``RefusedError``."""
        return read_moment(text, self.console_app.now, self.console_app.zone)

    @property
    def _limit(self) -> int:
        return int(self._past.asked.limit or 1) - 1

    @property
    def _has_older(self) -> bool:
        """Whether there are more than were asked for: one more than is told was asked for."""
        return len(self._items) > self._limit

    def _check_choice(self, typed: Mapping[str, str]) -> Checked:
        flaws = [
            flaw
            for name in ("since", "before")
            if (flaw := flaw_of(name, lambda name=name: self.moment(typed.get(name, "")))) is not None  # type: ignore[misc]
        ]
        return Checked((*flaws, *self.check_more(typed).flaws))


def not_one_of(text: str, words: tuple[str, ...]) -> RefusedError:
    """The refusal of a word that is none of those there are."""
    return RefusedError(f"'{text}' is not known", f"use one of {', '.join(words)}")
