"""Who may do what: the one place that decides it, for the desk and for services alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.core.errors import NotAllowedError
from engine.store.configuration import Configuration, Extension, Right, Role

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


def may_pick_up(configuration: Configuration, picker: Extension, rung: Extension) -> bool:
    """Whether ``picker`` may answer a call that rings at ``rung``: its own number's, or by the right *pickup*."""
    return picker.number == rung.number or Right.PICKUP in picker.rights


def may_take_over(by: Extension, parties: Iterable[Extension | None]) -> bool:
    """Whether an extension may take a party's place in a conversation, or give it to somebody else.

    *Overstep* of any party protects all.
    """
    return Right.TAKE_OVER in by.rights and not any(one and Right.OVERSTEP in one.rights for one in parties)
