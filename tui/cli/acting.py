"""What ``frontdesk call`` does beside ``release`` and ``transfer``: phones are rung and act by their rights."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.core.deeds import Deed
from engine.desk.deeds import Override, Park, PickUp, Pull, Record, Supervise
from engine.desk.services import RunService
from tui.cli.asking import act, ask
from tui.cli.options import StateOption, folder_of
from tui.cli.typed import CommandLine

As = Annotated[str, typer.Option("--as", metavar="EXTENSION", help="The phone that acts; it is rung first.")]
Target = Annotated[str, typer.Argument(metavar="CALL|EXTENSION")]
Side = Annotated[str | None, typer.Option("--side", metavar="EXTENSION", help="Which of the two parties.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; the audit log keeps it.")]


def barge_in(ctx: typer.Context, target: Target, as_: As, reason: Reason = None, state: StateOption = None) -> None:
    """Break into a call of two: the three are in a conference."""
    _supervise(ctx, Deed.BARGE_IN, target, as_, None, reason, state)


def listen(ctx: typer.Context, target: Target, as_: As, reason: Reason = None, state: StateOption = None) -> None:
    """Hear both parties of a call, heard by neither."""
    _supervise(ctx, Deed.LISTEN, target, as_, None, reason, state)


def whisper(
    ctx: typer.Context, target: Target, as_: As, side: Side = None, reason: Reason = None, state: StateOption = None
) -> None:
    """Hear both parties of a call, heard by one: the extension that is named, else --side."""
    _supervise(ctx, Deed.WHISPER, target, as_, side, reason, state)


def take_over(
    ctx: typer.Context, target: Target, as_: As, side: Side = None, reason: Reason = None, state: StateOption = None
) -> None:
    """Take a party's place in a call: that of the extension that is named, else of --side."""
    _supervise(ctx, Deed.TAKE_OVER, target, as_, side, reason, state)


def _supervise(
    ctx: typer.Context,
    deed: Deed,
    target: str,
    acting: str,
    side: str | None,
    reason: str | None,
    state: str | None,
) -> None:
    call = act(folder_of(ctx, state), Supervise(deed, target, acting, side, reason), target)
    print(f"{acting} comes into call {call} ({deed.value})")


def override(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="EXTENSION")],
    as_: As,
    reason: Reason = None,
    state: StateOption = None,
) -> None:
    """Reach an extension through do not disturb, forwarding and groups.

    One that talks is broken into, or rung once it is free. An outside number is called over a full line when the
    parameter override_trunk_limit allows it.
    """
    ask(folder_of(ctx, state), Override(target, as_, reason))
    print(f"{as_} is rung to reach {target}")


def pull(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="CALL|SLOT")],
    as_: As,
    state: StateOption = None,
) -> None:
    """Take a caller out of a menu, a queue or a slot."""
    call = act(folder_of(ctx, state), Pull(target, as_), target)
    print(f"{as_} is rung to take call {call}")


def pickup(ctx: typer.Context, target: Target, as_: As, state: StateOption = None) -> None:
    """Answer what rings at an extension."""
    call = act(folder_of(ctx, state), PickUp(target, as_), target)
    print(f"{as_} is rung to pick up call {call}")


def park(
    ctx: typer.Context,
    target: Target,
    slot: Annotated[
        str | None, typer.Option("--slot", metavar="N", help="1 to 99; without it the first that is free.")
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option("--as", metavar="EXTENSION", help="Who parks and is rung later; else who was called."),
    ] = None,
    state: StateOption = None,
) -> None:
    """Let the other party of a call wait on a slot, with music."""
    taken = act(folder_of(ctx, state), Park(target, slot, as_), target)
    print(f"the call waits on slot {taken}")


def record(
    ctx: typer.Context,
    target: Target,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="EXTENSION", help="By whose right; else as the office's owner.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Begin to record a call; once more ends it."""
    file = act(folder_of(ctx, state), Record(target, as_), target)
    print(f"recorded to {file}" if file else "the recording has ended")


def unpark(
    ctx: typer.Context,
    slot: Annotated[str, typer.Argument(metavar="SLOT")],
    as_: As,
    state: StateOption = None,
) -> None:
    """Retrieve a parked call."""
    ask(folder_of(ctx, state), RunService("retrieve", as_, (f"argument={slot}",)))
    print(f"{as_} is rung to retrieve the call on slot {slot}")


def originate(
    ctx: typer.Context,
    from_: Annotated[str, typer.Option("--from", metavar="EXTENSION", help="The phone that is rung first.")],
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Whom it calls then, by its rights.")],
    state: StateOption = None,
) -> None:
    """Ring an extension and call a number for it."""
    ask(folder_of(ctx, state), RunService("originate", from_, (f"target={to}",)))
    print(f"{from_} is rung to call {to}")


def add_to(app: CommandLine) -> None:
    """Give ``frontdesk call`` these commands."""
    app.command("barge-in", epilog="Example: frontdesk call barge-in 102 --as 103")(barge_in)
    app.command("listen", epilog="Example: frontdesk call listen 7f3a --as 103")(listen)
    app.command("whisper", epilog="Example: frontdesk call whisper 7f3a --as 103 --side 102")(whisper)
    app.command("take-over", epilog="Example: frontdesk call take-over 102 --as 103")(take_over)
    app.command("override", epilog="Example: frontdesk call override 104 --as 103 --reason 'a visitor'")(override)
    app.command("pull", epilog="Example: frontdesk call pull 7f3a --as 103")(pull)
    app.command("park", epilog="Example: frontdesk call park 7f3a --slot 7 --as 102")(park)
    app.command("record", epilog="Example: frontdesk call record 7f3a")(record)
    app.command("pickup", epilog="Example: frontdesk call pickup 102 --as 103")(pickup)
    app.command("unpark", epilog="Example: frontdesk call unpark 7 --as 103")(unpark)
    app.command("originate", epilog="Example: frontdesk call originate --from 101 --to 90301234")(originate)
