"""Who may do what: the one place that decides it, for the desk and for services alike."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.errors import NotAllowedError
from engine.store.configuration import Role

_RANK = {Role.VIEWER: 0, Role.RECEPTIONIST: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an operator's login, or the owner of the control socket (an administrator)."""

    name: str
    role: Role
    extension: str | None = None
    """The phone this operator acts with."""


OWNER = Asker(name="owner", role=Role.ADMIN)
"""Whoever may open the control socket in the state folder."""


def has_role(asker: Asker, needed: Role) -> bool:
    """Whether the asker's role is ``needed`` or one that includes it."""
    return _RANK[asker.role] >= _RANK[needed]


def demand_role(asker: Asker, needed: Role, deed: str) -> None:
    """Raise ``NotAllowedError`` unless the asker's role includes ``needed``; ``deed`` says what was tried."""
    if not has_role(asker, needed):
        raise NotAllowedError(
            f"{asker.name} ({asker.role}) may not {deed}", f"ask an operator with the role {needed} or above"
        )
