"""A line without registration: whether the other side is there."""

from __future__ import annotations

from engine.core.errors import RefusedError
from engine.core.views import TrunkState
from engine.net.resolve import Server
from engine.pbx.trunks.keeping import PATIENCE_S, LineKeeper, Silence
from engine.sip.register import retry_after

LOOK_S = 30.0
"""How often the server that serves us is asked whether it is there."""


class Watch(LineKeeper):
    """Keeps a line's servers known, and asks them with OPTIONS: any answer but 503 shows that one serves us."""

    async def run(self) -> None:
        servers = await self._find() if not self._is_leaving else ()
        # over TCP and TLS the first question opens the connection, and shows whether it can be opened at all
        is_datagrams = all(server.transport == "UDP" for server in servers)
        pause = (LOOK_S if is_datagrams else 0.0) if servers else self._pause()
        while not self._is_leaving:
            await self._rest(pause)
            if not self._is_leaving:
                pause = await self._turn()

    async def _find(self) -> tuple[Server, ...]:
        """The servers to ask; none when there is no way to any, which is shown."""
        line = self.line
        try:
            await line.look_up()
            servers = line.reachable_servers()
            if not servers:
                raise line.why_unreachable()
        except RefusedError as error:
            line.complain(str(error))
            line.enter(TrunkState.UNREACHABLE, str(error))
            return ()
        return servers

    async def _turn(self) -> float:
        """Ask the servers one after the other until one answers; how long to rest then."""
        line = self.line
        servers = await self._find()
        for place, server in enumerate(servers):
            answer = await self._look(server, PATIENCE_S)
            if self._is_leaving:
                return 0.0
            if isinstance(answer, Silence):
                line.note_failure(server, answer.why)
            elif answer.status == 503:
                line.note_failure(server, f"says 503 {answer.reason}", retry_after(answer))
            else:
                self._failures = 0
                line.note_answer(server)
                line.enter(TrunkState.STATIC)
                if place == 0:
                    line.be_content()
                return LOOK_S
        if servers:
            line.enter(TrunkState.UNREACHABLE, line.last_error)
        return self._pause()
