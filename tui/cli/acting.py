"""``frontdesk call barge-in``, ``pickup``, ``unpark``, ``originate``: a phone is rung and does it by its rights."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.desk.commands import ListCalls
from engine.desk.services import RunService
from tui.cli.asking import ask, reach
from tui.cli.options import StateOption, folder_of
from tui.cli.typed import CommandLine

As = Annotated[str, typer.Option("--as", metavar="EXTENSION", help="The phone that acts; it is rung first.")]


def barge_in(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="CALL|EXTENSION")],
    as_: As,
    state: StateOption = None,
) -> None:
    """Break into a call of two; who may not hears why, and the call hears nothing."""
    with reach(folder_of(ctx, state)) as asked:
        calls = [call for call in asked(ListCalls()) if call.id == target]
        parties = [party.extension for call in calls for party in call.parties if party.extension is not None]
        number = parties[0] if parties else target
        asked(RunService("barge_in", as_, (f"argument={number}",)))
    print(f"{as_} is rung to break into the call of {number}")


def pickup(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="EXTENSION")],
    as_: As,
    state: StateOption = None,
) -> None:
    """Answer what rings at an extension."""
    ask(folder_of(ctx, state), RunService("pickup", as_, (f"argument={target}",)))
    print(f"{as_} is rung to pick up the call of {target}")


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
    app.command("pickup", epilog="Example: frontdesk call pickup 102 --as 103")(pickup)
    app.command("unpark", epilog="Example: frontdesk call unpark 7 --as 103")(unpark)
    app.command("originate", epilog="Example: frontdesk call originate --from 101 --to 90301234")(originate)
