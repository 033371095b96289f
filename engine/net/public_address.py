"""The advertised name, looked up anew whenever its time to live is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from engine.net.names import Answer, Names, NamesSilentError
from engine.net.nat import Nat

log = logging.getLogger(__name__)

SHORTEST_S, LONGEST_S = 10.0, 3600.0
"""However short or long a record wants to be kept."""
AGAIN_S = 5.0
"""How soon a name is asked for again that could not be looked up: what was true stays in force."""
_MEND = "correct the name, its entry in the DNS, or the name server (--resolver)"


class PublicAddress:
    """Keeps what a ``Nat`` advertises true, when that is a name."""

    def __init__(self, nat: Nat, names: Names, on_trouble: Callable[[str], None] = lambda trouble: None) -> None:
        """``on_trouble`` hears, once, why the name cannot be looked up."""
        self._nat = nat
        self._names = names
        self._on_trouble = on_trouble
        self._trouble: str | None = None
        self._has_asked = asyncio.Event()

    async def watch(self) -> None:
        """Look the name up for ever; at once where the address itself is advertised."""
        while self._nat.is_name:
            try:
                seconds = await self.look_up()
            except Exception:
                log.exception("--advertise: something went wrong, it is tried again")
                seconds = AGAIN_S
            self._has_asked.set()
            await asyncio.sleep(seconds)

    async def wait_until_known(self, seconds: float) -> None:
        """Until the name was asked for once, ``seconds`` at most."""
        if self._nat.is_name:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_asked.wait(), seconds)

    async def look_up(self) -> float:
        """Ask once; the seconds until it should be asked again."""
        name, before = self._nat.advertised or "", self._nat.addresses
        answers = await asyncio.gather(self._ask(name, "A"), self._ask(name, "AAAA"))
        found: list[str] = []
        for answer, is_ipv6 in zip(answers, (False, True), strict=True):
            if isinstance(answer, Answer):
                found += answer.records[:1]
            else:  # better what was true than nothing
                found += [host for host in before if (":" in host) == is_ipv6]
        held = [answer.seconds for answer in answers if isinstance(answer, Answer) and answer.records]
        if not held:
            silent = next((answer for answer in answers if isinstance(answer, NamesSilentError)), None)
            what = f"cannot be looked up ({silent})" if silent is not None else "does not resolve"
            self._complain(f"the advertised name '{name}' {what}")
            return AGAIN_S
        self._trouble = None
        self._nat.take(found)
        if self._nat.addresses != before:
            log.info("peers outside are told the address %s", " and ".join(self._nat.addresses))
        return min(max(min(held), SHORTEST_S), LONGEST_S)

    async def _ask(self, name: str, kind: str) -> Answer | NamesSilentError:
        try:
            return await self._names.query(name, kind)
        except NamesSilentError as error:
            return error

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            kept = " and ".join(self._nat.addresses) or "our own addresses"
            log.warning("%s; peers outside are told %s meanwhile", trouble, kept)
            self._on_trouble(f"{trouble}: {_MEND}")
