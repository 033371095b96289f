"""A console on a made-up office: ``python -m tests.unit.tui.demo [--port N] [--calls N] [--seconds S]``.

Logins are desk and guest, the password is ``sesame``. Meant for looking at and for measuring.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from engine.core.clock import SystemClock
from engine.core.views import CallState, CallView, QualityView
from tests.unit.tui.fake_desk import FakeDesk, call_view
from tui.host import ConsoleHost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.7.0.1")
    parser.add_argument("--port", type=int, default=8022)
    parser.add_argument("--calls", type=int, default=0, help="this many calls instead of the drawn ones")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--state", type=Path, default=None)
    arguments = parser.parse_args()
    clock = SystemClock()
    desk = FakeDesk(clock).furnish()
    if arguments.calls:
        now = clock.wall()
        desk.change(
            calls=tuple(
                call_view(f"c{n}", f"{1000 + n}", f"+4930{n:07}", now - timedelta(seconds=n), mos=4.3)
                for n in range(arguments.calls)
            )
        )
    state = arguments.state or Path(tempfile.mkdtemp(prefix="frontdesk-demo-"))
    host = ConsoleHost(desk, (arguments.host, arguments.port), state, clock)
    print("listening on", host.start(), flush=True)
    print_cpu = threading.Thread(target=_report_cpu, daemon=True)
    print_cpu.start()
    ends = time.monotonic() + arguments.seconds
    dice = random.Random(7)
    try:
        while time.monotonic() < ends:
            time.sleep(0.25)
            desk.change(calls=tuple(_live_on(call, dice) for call in desk.view.calls))
    except KeyboardInterrupt:
        pass
    finally:
        host.stop()


def _live_on(call: CallView, dice: random.Random) -> CallView:
    if call.quality is None or dice.random() > 0.2:
        return call
    mos = min(4.4, max(2.9, call.quality.mos + dice.uniform(-0.2, 0.2)))
    state = dice.choice([CallState.TALKING] * 9 + [CallState.HELD])
    return replace(call, state=state, quality=QualityView(mos, 4.4 - mos, 3.0))


def _report_cpu() -> None:
    while True:
        before, begun = time.process_time(), time.monotonic()
        time.sleep(10)
        share = (time.process_time() - before) / (time.monotonic() - begun)
        print(f"cpu {share:.1%} of a core", flush=True)


if __name__ == "__main__":
    main()
