"""What happens now: ``calls``, ``lamps``, ``watch`` and ``call release``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.core.text import printable
from engine.core.views import CallView, LampAudit
from engine.desk.commands import AuditLamps, ListCalls, ListLamps, ReleaseCall, TransferCall
from engine.desk.documents import call_document
from tui.cli.asking import act, ask, connect
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import duration, local_time, print_json, print_json_line, print_table
from tui.cli.typed import CommandLine

call_app = CommandLine(
    no_args_is_help=True,
    help="Act on live calls.",
    epilog="Example: frontdesk call release 7f3a",
    rich_markup_mode=None,
)


def calls(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List the live calls."""
    listed = ask(folder_of(ctx, state), ListCalls())
    now = datetime.now(UTC)
    if json:
        print_json([call_document(call, now) for call in listed])
        return
    rows = [
        (
            call.id,
            _who(call.caller, call.caller_name),
            _who(call.callee, call.callee_name),
            call.state.value,
            duration(call.duration_s(now)),
            _spoken(call),
            f"{call.quality.mos:.1f}" if call.quality else None,
        )
        for call in listed
    ]
    print_table(("call", "caller", "callee", "state", "time", "codecs", "MOS"), rows, "There is no call.")


def _spoken(call: CallView) -> str | None:
    """What the parties speak: one codec, or where the gateway converts, each party's."""
    codecs = [party.codec for party in call.parties if party.codec is not None]
    return "/".join(codecs if len(set(codecs)) > 1 else codecs[:1]) or None


def lamps(
    ctx: typer.Context,
    audit: Annotated[
        bool, typer.Option("--audit", help="Compare lamps with the calls there are, and mend what differs.")
    ] = False,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Show every extension's lamp: idle, ringing, busy, held, dnd, unregistered or unreachable."""
    if audit:
        _audit(folder_of(ctx, state), json)
        return
    shown = {number: lamp.value for number, lamp in ask(folder_of(ctx, state), ListLamps()).items()}
    if json:
        print_json(shown)
    else:
        print_table(("extension", "lamp"), list(shown.items()), "There is no extension yet.")


def _audit(folder: Path, json: bool) -> None:
    with connect(folder) as client:
        found: LampAudit = client.ask(AuditLamps())
    if json:
        print_json(asdict(found))
        return
    for text in found.repaired:
        print(f"repaired: {text}")
    print(f"{found.lamps} lamps and {found.subscriptions} subscriptions compared, {len(found.repaired)} repaired")


def watch(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    state: StateOption = None,
) -> None:
    """Print events as they happen, until Ctrl+C or the engine's end."""
    with suppress(KeyboardInterrupt), connect(folder_of(ctx, state)) as client:
        for event in client.watch():
            if json:
                print_json_line(event)
            else:
                print(_event_line(event), flush=True)
        if not json:
            print("The engine has stopped.")


@call_app.command("release", epilog="Example: frontdesk call release 7f3a")
def release(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="CALL|EXTENSION")],
    acting: Annotated[
        str | None, typer.Option("--as", metavar="EXTENSION", help="By whose right; else as the office's owner.")
    ] = None,
    state: StateOption = None,
) -> None:
    """End a call, named by its id or by an extension that takes part."""
    released = act(folder_of(ctx, state), ReleaseCall(target, acting=acting), target)
    print(f"call {released} is released")


@call_app.command("transfer", epilog="Example: frontdesk call transfer 7f3a 103 --as 102")
def transfer(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="CALL|EXTENSION")],
    number: Annotated[str, typer.Argument(metavar="NUMBER")],
    acting: Annotated[
        str | None,
        typer.Option("--as", metavar="EXTENSION", help="Who transfers; else who was called."),
    ] = None,
    state: StateOption = None,
) -> None:
    """Connect the other party with NUMBER, or send a call that still rings on to it."""
    transferred = act(folder_of(ctx, state), TransferCall(target, number, acting), target)
    print(f"call {transferred} goes to {number}")


def _who(number: str, name: str | None) -> str:
    return f"{number} {name}" if name else number


def _event_line(event: dict[str, Any]) -> str:
    if "dropped" in event:
        return f"({event['dropped']} events were too fast to be shown)"
    at = local_time(datetime.fromisoformat(event["at"]))
    if "record" in event:
        return printable(f"{at} {event['event']} {event['call']} {_record_words(event['record'])}")
    rest = [f"{name}={_flat(value)}" for name, value in event.items() if name not in ("at", "event", "call")]
    return printable(" ".join(filter(None, [at, event["event"], event.get("call"), *rest])))


def _record_words(record: dict[str, Any]) -> str:
    talked = f"talked {duration(record['duration_s'])}" if record["answered_at"] else "not answered"
    mos = f", MOS {record['mos']:.1f}" if record["mos"] else ""
    return (
        f"{record['caller']} to {record['callee']}, {talked}, {record['cause']}, "
        f"released by {record['released_by']}{mos}"
    )


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{inner}" for name, inner in value.items() if inner is not None)
    return str(value)
