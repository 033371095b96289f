"""``frontdesk ladder``: a call's SIP messages as arrows, as JSON or as a capture file."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.core.ladder import Ladder
from engine.desk.capture import capture_file
from engine.desk.client import EngineClient
from engine.desk.commands import ReadLadder
from engine.desk.documents import ladder_document
from tui.cli.asking import connect
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, local_time, print_json
from tui.cli.transfer import write_whole

_NARROW, _WIDE = 60, 120


def ladder(
    ctx: typer.Context,
    call: Annotated[str, typer.Argument(metavar="CALL|EXTENSION")],
    pcap: Annotated[
        Path | None,
        typer.Option("--pcap", metavar="FILE", help="Write a capture file; - is standard output."),
    ] = None,
    json: JsonOption = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="Do not blacken digests and media keys.")] = False,
    state: StateOption = None,
) -> None:
    """Show the SIP messages of a call, live or recent, as they crossed the wire.

    An extension names the call that it is in, or else its latest. Digests and media keys are blackened, and the
    capture shows TLS as plain TCP. An ended call is kept until newer
    ones need the room (parameter trace_mb) or the engine stops.
    """
    if pcap is not None and json:
        raise typer.BadParameter("--pcap and --json do not go together: choose one")
    with connect(folder_of(ctx, state)) as client:
        whole = _read(client, call, with_secrets=secrets)
    if json:
        print_json(ladder_document(whole, datetime.now(UTC)))
    elif pcap is not None:
        _write(pcap, whole)
    else:
        _print(whole)


def _read(client: EngineClient, call: str, *, with_secrets: bool) -> Ladder:
    """Every message up to now, page by page."""
    ladder: Ladder = client.ask(ReadLadder(call, with_secrets=with_secrets))
    messages = [*ladder.messages]
    while messages and messages[-1].number + 1 < ladder.total:
        more = client.ask(ReadLadder(ladder.call, messages[-1].number + 1, with_secrets=with_secrets)).messages
        if not more:
            break
        messages += more
    return replace(ladder, messages=tuple(messages))


def _write(path: Path, ladder: Ladder) -> None:
    data = capture_file(ladder.messages)
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        return
    write_whole(path, data)
    print(f"{len(ladder.messages)} messages of call {ladder.call} are in {path}")


def _print(ladder: Ladder) -> None:
    from tui.ladder import Lanes, line_of  # Rich takes 0.1 s that --json and --pcap need not pay
    from tui.wording import PLAIN_GLYPHS, RICH_GLYPHS, clean, name_with_number

    glyphs = RICH_GLYPHS if "utf" in (sys.stdout.encoding or "").lower() else PLAIN_GLYPHS
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    lanes = Lanes.across(ladder.legs, max(_NARROW, width))
    names = [name_with_number(leg.number, leg.name) for leg in ladder.legs]
    callee = next((name for name in names[1:] if name.startswith(ladder.callee)), ladder.callee)
    print(clean(f"call {ladder.call}   {names[0]} {glyphs.outgoing} {callee}   {_outcome(ladder)}"))
    print()
    print(line_of(lanes.names()))
    print(line_of(lanes.addresses()))
    before = None
    for message in ladder.messages:
        print(line_of(lanes.arrow(message, before, None, glyphs)))
        before = message
    if ladder.left_out:
        print(f"({ladder.left_out} earlier messages of this long call are no longer kept)")


def _outcome(ladder: Ladder) -> str:
    talked = duration(ladder.duration_s(datetime.now(UTC)))
    if ladder.state is not None:
        return f"{ladder.state.value} {talked}"
    how = f"ended {local_time(ladder.ended_at)}: {ladder.cause}, released by {ladder.released_by}"
    return f"{how}, talked {talked}" if ladder.answered_at else how
