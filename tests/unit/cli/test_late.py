"""The console host is loaded late, and says so when it is asked too early."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine.core.clock import ManualClock
from engine.core.errors import RefusedError
from engine.pbx.rights import OWNER
from tui import host
from tui.cli.late import LateConsoleHost


class FakeHost:
    def __init__(self, *given: Any) -> None:
        self.given = given
        self.calls: list[str] = []

    def start(self) -> tuple[tuple[str, int], ...]:
        return (("127.6.0.1", 8022),)

    def attach(self, *given: Any) -> Future[None]:
        self.calls.append("attach")
        return Future()

    def resize(self, *given: Any) -> None:
        self.calls.append("resize")

    def detach(self, *given: Any) -> None:
        self.calls.append("detach")

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.fixture
def late(tmp_path: Path) -> LateConsoleHost:
    return LateConsoleHost(None, None, tmp_path, ManualClock())  # type: ignore[arg-type]


def test_console_before_the_start_is_refused(late: LateConsoleHost) -> None:
    with pytest.raises(RefusedError, match="try again"):
        late.attach(0, 1, "xterm", (80, 24), OWNER, {})
    late.stop()


def test_everything_is_passed_on_after_the_start(late: LateConsoleHost, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeHost] = []
    monkeypatch.setattr(host, "ConsoleHost", lambda *given: made.append(FakeHost(*given)) or made[-1])
    assert late.start() == (("127.6.0.1", 8022),)
    handle = late.attach(0, 1, "xterm", (80, 24), OWNER, {})
    late.resize(handle, 100, 30)
    late.detach(handle)
    late.stop()
    assert made[0].calls == ["attach", "resize", "detach", "stop"]
