"""Verbs that answer the caller, let it wait, turn it away or send it on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from engine.core.errors import RemoteError
from engine.core.text import shown
from engine.pbx.call import NORMAL
from engine.pbx.in_service import InService
from engine.pbx.verbs.activity import Waiting
from engine.pbx.verbs.reaching import go_on_to, routes_to, why_of
from engine.sip.message import reason_for

log = logging.getLogger(__name__)


async def answer(at: InService, asked: Mapping[str, Any]) -> None:
    failure = await at.answer()
    if failure is not None:
        at.over(failure=failure)


async def ringing(at: InService, asked: Mapping[str, Any]) -> None:
    """The caller's phone makes the tone; nothing is told to a caller that is answered."""
    if at.caller.dialogue.is_waiting:
        at.caller.dialogue.ring(at.now, 180)
        at.exchange.endpoint.flush()
    at.over()


async def wait(at: InService, asked: Mapping[str, Any]) -> None:
    await at.do(Waiting(at, asked["seconds"]))


async def hangup(at: InService, asked: Mapping[str, Any]) -> None:
    cause = asked.get("reason") or (NORMAL if at.call.answered_at else "{} {}".format(*at.refusal))
    await at.dismiss(shown(cause))


async def busy(at: InService, asked: Mapping[str, Any]) -> None:
    """486 before the answer, hanging up after it."""
    await _turn_away(at, 486, reason_for(486))


async def refuse(at: InService, asked: Mapping[str, Any]) -> None:
    status = asked["status"]
    if not 400 <= status <= 699:
        at.over(failure=f"{status} refuses nobody: use 400 to 699")
        return
    reason = asked.get("reason") or reason_for(status)
    await _turn_away(at, status, "".join(each for each in reason if each.isprintable())[:64])


async def _turn_away(at: InService, status: int, reason: str) -> None:
    at.refusal = (status, reason, 0)
    await at.dismiss(f"{status} {reason}")


async def redirect(at: InService, asked: Mapping[str, Any]) -> None:
    """The call goes where the number leads, by the rights of ``as``; the service is done unless that fails."""
    try:
        (target,) = routes_to(at, (asked["number"],), asked.get("as"))
    except RemoteError as error:
        at.over(failure=f"{error.status} {error.reason}")
        return
    await go_on_to(at, target, asked.get("as"), why_of(asked.get("why")))


async def log_text(at: InService, asked: Mapping[str, Any]) -> None:
    log.info("service %s of call %s: %s", at.service, at.call.id, shown(str(asked["text"]), 500))
    at.over()
