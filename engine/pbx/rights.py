"""Who may do what: the one place that decides it, for the desk and for services alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.core.deeds import Deed
from engine.core.errors import NotAllowedError
from engine.store.configuration import Configuration, Extension, Right, Role
from engine.store.services import GroupKind

_RANK = {Role.VIEWER: 0, Role.RECEPTIONIST: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an operator's login, or the owner of the control socket (an administrator)."""

    name: str
    role: Role
    extension: str | None = None
    """The phone this operator acts with."""
    is_owner: bool = False
    """Whoever may open the control socket: no login, and none that could be removed."""


OWNER = Asker(name="owner", role=Role.ADMIN, is_owner=True)
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
    """Whether ``picker`` may answer a call that rings at ``rung``: its own number's, one of a pickup group
    that both are in, or by the right *pickup* any."""
    if picker.number == rung.number or Right.PICKUP in picker.rights:
        return True
    both = {picker.number, rung.number}
    return any(
        group.kind is GroupKind.PICKUP and both <= set(group.members) for group in configuration.groups.values()
    )


def may_fetch(by: Extension | None, *, is_own: bool, is_parked: bool) -> bool:
    """Whether a service may bring its caller together with a caller that waits in a service.

    Anybody may where it is the same service (``is_own``) or a parked call, else only by the right *pull*.
    """
    return is_own or is_parked or (by is not None and Right.PULL in by.rights)


def may_forward(extension: Extension, reason: str) -> bool:
    """Whether an extension may have its calls forwarded: ``always``, ``busy``, ``no_answer`` or ``unreachable``."""
    return Right(f"forward-{reason.replace('_', '-')}") in extension.rights


def why_not_supervise(
    by: Extension | None, deed: Deed, parties: Iterable[Extension | None], *, dialled: str, protects: str
) -> str | None:
    """Why an operator may not come into a call: ``no_right``, or ``overstep`` of a party; ``None`` when it may.

    ``protects``: whether the overstep of ``either`` party counts, or only that of the ``dialled`` one.
    """
    if by is None or Right(deed.value) not in by.rights:
        return "no_right"
    for one in parties:
        if one is not None and Right.OVERSTEP in one.rights and (protects == "either" or one.number == dialled):
            return "overstep"
    return None


def may_take_over(by: Extension, parties: Iterable[Extension | None]) -> bool:
    """Whether an extension may take a party's place in a conversation, or give it to somebody else.

    *Overstep* of any party protects all.
    """
    return Right.TAKE_OVER in by.rights and not any(one and Right.OVERSTEP in one.rights for one in parties)
