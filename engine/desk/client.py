"""The command line's side of the control socket: plain blocking calls."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.core.errors import RefusedError
from engine.core.paths import SOCKET
from engine.desk.commands import Command
from engine.desk.unix_path import reachable
from engine.desk.wire import RESULTS, decode, decode_error, encode_command, parse_line, to_line

ANSWER_LIMIT_S = 30.0


class NoEngineError(RefusedError):
    """No engine answers in this state folder."""


class EngineClient:
    """A connection to the running engine; a context manager. Raises ``NoEngineError`` when it hangs up."""

    def __init__(self, connection: socket.socket, folder: Path) -> None:
        self._socket = connection
        self._folder = folder
        self._reader = connection.makefile("rb")

    @classmethod
    def connect(cls, folder: Path) -> EngineClient:
        """Reach the engine that runs on ``folder``; raises ``NoEngineError`` when none does."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_LIMIT_S)
        try:
            with reachable(folder / SOCKET) as address:
                connection.connect(address)
        except PermissionError:
            connection.close()
            raise RefusedError(
                f"the engine on {folder} belongs to somebody else", "run this as its owner or as root"
            ) from None
        except OSError:
            connection.close()
            raise NoEngineError(f"no engine runs on {folder}", "start it with 'frontdesk run'") from None
        return cls(connection, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def fileno(self) -> int:
        """For waiting until the engine says something."""
        return self._socket.fileno()

    def ask(self, command: Command) -> Any:
        """What the desk gives back for ``command``; raises what the desk refuses."""
        self._send(to_line(encode_command(command)))
        return decode(RESULTS[type(command)], self._answer())

    def watch(self) -> Iterator[dict[str, Any]]:
        """Event documents as they happen, until the engine ends; ``{"dropped": n}`` where some were lost."""
        self._send(to_line({"watch": True}))
        self._answer()
        self._socket.settimeout(None)
        with contextlib.suppress(NoEngineError):
            while True:
                document = self._receive()
                yield document.get("event", document)

    def open_console(
        self,
        input_fd: int,
        output_fd: int,
        term: str,
        size: tuple[int, int],
        environment: Mapping[str, str],
        acting: str | None = None,
    ) -> None:
        """Hand this terminal to the engine; ``await_end`` says when it is given back.

        ``acting`` is the extension whose phone the console works with.
        """
        asked = {"term": term, "size": list(size), "environment": dict(environment), "as": acting}
        line = to_line({"console": asked})
        try:
            sent = socket.send_fds(self._socket, [line], [input_fd, output_fd])
            self._socket.sendall(line[sent:])
        except OSError:
            raise self._gone() from None
        self._answer()
        self._socket.settimeout(None)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the engine the terminal's new size."""
        self._send(to_line({"resize": [columns, rows]}))

    def await_end(self) -> None:
        """Wait until the console ends; raises ``RefusedError`` when it failed or the engine went."""
        ended = self._receive().get("ended")
        if ended is not None:
            raise decode_error(ended)

    def _answer(self) -> Any:
        document = self._receive()
        if "error" in document:
            raise decode_error(document["error"])
        return document.get("result")

    def _send(self, line: bytes) -> None:
        try:
            self._socket.sendall(line)
        except OSError:
            raise self._gone() from None

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._reader.readline()
        except TimeoutError:
            raise RefusedError(f"the engine on {self._folder} does not answer", "see its log") from None
        except OSError:
            raise self._gone() from None
        if not line.endswith(b"\n"):
            raise self._gone()
        return parse_line(line)

    def _gone(self) -> NoEngineError:
        return NoEngineError(f"the engine on {self._folder} has gone", "see its log; start it with 'frontdesk run'")


def terminal_environment() -> dict[str, str]:
    """What this process's environment says of its terminal and language."""
    wanted = ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "COLORTERM", "NO_COLOR", "TERM_PROGRAM")
    return {name: os.environ[name] for name in wanted if name in os.environ}
