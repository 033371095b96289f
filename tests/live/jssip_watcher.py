"""JsSIP under node: a phone of a web page, which registers and watches over WebSocket."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live import processes
from tests.live.phone import Account

FOLDER = Path(__file__).with_name("jssip")


@dataclass(frozen=True)
class JsNotified:
    """One NOTIFY as JsSIP gives it to its user."""

    cseq: int
    body: str
    kind: str

    @property
    def version(self) -> int:
        """Of the (first) document."""
        found = re.search(r'version="(\d+)"', self.body)
        assert found
        return int(found[1])

    @property
    def states(self) -> list[str]:
        return re.findall(r"<state>(\w+)</state>", self.body)


@dataclass
class JsSipWatcher:
    process: subprocess.Popen[bytes]
    log: Path

    def events(self) -> list[dict[str, Any]]:
        """What it has said so far."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith('{"what"')]

    def said(self, what: str) -> int:
        """How many times it has said this."""
        return sum(event["what"] == what for event in self.events())

    def notified(self) -> list[JsNotified]:
        return [
            JsNotified(event["cseq"], event["body"] or "", event["type"] or "")
            for event in self.events()
            if event["what"] == "notify"
        ]

    def last_states(self) -> list[str]:
        heard = self.notified()
        return heard[-1].states if heard else ["nothing"]

    def stop(self) -> None:
        processes.stop(self.process)


def start_watcher(
    url: str,
    account: Account,
    target: str,
    folder: Path,
    *,
    event: str = "dialog",
    is_list: bool = False,
    origin: str = "",
) -> JsSipWatcher:
    """Connect to ``url`` (ws or wss), register, and subscribe to ``target``."""
    processes.needs("node")
    if not (FOLDER / "node_modules" / "jssip").exists():
        processes.lacks("JsSIP missing: bash .ci/prepare peers")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "jssip.log"
    command: list[str | Path] = [
        "node",
        FOLDER / "watcher.js",
        url,
        account.number,
        account.password,
        target,
        event,
    ]
    process = processes.start(
        [*command, *(["list"] if is_list else [])], log=log, environment={"ORIGIN": origin} if origin else {}
    )
    return JsSipWatcher(process, log)
