"""What the console needs of the desk, so that it runs against a fake one as well."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from engine.core.views import OfficeView
from engine.desk.commands import Command
from engine.pbx.rights import Asker


class DeskDoor(Protocol):
    """The part of the desk a console uses; every member may be used from any thread and returns at once."""

    @property
    def view(self) -> OfficeView:
        """The newest picture of the live office."""
        ...

    def submit(self, asker: Asker, command: Command) -> Future[Any]:
        """Ask the office; the future fails with a ``RefusedError`` whose text is for the person who asked."""
        ...

    def current(self, asker: Asker) -> Asker | None:
        """``asker`` with the role the login has now; ``None`` when the login is gone."""
        ...

    def verify_login(self, login: str, password: str) -> Future[Asker | None]:
        """Who this login and password belong to; ``None`` when they belong to nobody."""
        ...

    def key_asker(self, login: str, openssh_public_key_line: str) -> Asker | None:
        """The operator ``login`` when this key may log in as such, else ``None``."""
        ...
