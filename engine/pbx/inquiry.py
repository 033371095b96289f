"""One request outside of calls, and its final answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from engine.sip.transaction.outputs import RequestFailed, ResponseArrived


class Inquiry:
    """The user of a client transaction: takes what comes, and lets one wait for the end."""

    __slots__ = ("_end", "_sign", "is_heard")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._end: asyncio.Future[ResponseArrived | RequestFailed | None] = loop.create_future()
        self._sign: asyncio.Future[None] = loop.create_future()
        self.is_heard = False
        """Whether anything has come back, provisional or final."""

    def take(self, output: ResponseArrived | RequestFailed) -> None:
        if isinstance(output, ResponseArrived):
            self.is_heard = True
        if not self._sign.done():
            self._sign.set_result(None)
        is_final = isinstance(output, RequestFailed) or output.response.status >= 200
        if is_final and not self._end.done():
            self._end.set_result(output)

    async def any_sign(self, seconds: float) -> bool:
        """Whether the peer shows any sign of life within ``seconds``."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._sign), seconds)
        return self.is_heard

    async def end(self) -> ResponseArrived | RequestFailed | None:
        """The final response, or that there is none: the transaction has its own time limit."""
        return await self._end

    def give_up(self) -> None:
        """Nobody wants to know any more."""
        for future in (self._sign, self._end):
            if not future.done():
                future.set_result(None)
