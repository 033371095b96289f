"""``frontdesk operator``: who may log in to the console."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.desk.commands import (
    AddOperator,
    ListOperators,
    OperatorFields,
    RemoveOperator,
    SetOperator,
    ShowOperator,
)
from engine.desk.documents import operator_document
from engine.store.configuration import Role
from tui.cli.asking import ask, reach
from tui.cli.options import JsonOption, StateOption, folder_of, one_of
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="Who may log in to the console.",
    epilog="Example: frontdesk operator list",
    rich_markup_mode=None,
)

Login = Annotated[str, typer.Argument(metavar="LOGIN")]
Password = Annotated[str | None, typer.Option("--password", metavar="P", help="For logging in over SSH.")]
Keys = Annotated[list[Path] | None, typer.Option("--key", metavar="FILE", help="A file of OpenSSH public keys.")]
OfExtension = Annotated[
    str | None, typer.Option("--extension", metavar="N", help="The phone this operator acts with.")
]
RoleOption = Annotated[
    Role | None, typer.Option("--role", metavar="|".join(Role), parser=one_of(Role), help="What they may do.")
]
Clear = Annotated[
    list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty password, keys or extension.")
]


@app.command("add", epilog="Example: frontdesk operator add anna --role receptionist --key ~/.ssh/id_ed25519.pub")
def add(
    ctx: typer.Context,
    login: Login,
    password: Password = None,
    key: Keys = None,
    extension: OfExtension = None,
    role: RoleOption = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Add an operator (default: a receptionist); without --password and --key a password is made up."""
    fields = OperatorFields(password, _read_keys(key), role, extension)
    made = ask(folder_of(ctx, state), AddOperator(login, fields), makes_office=True)
    if json:
        print_json({"login": login, "password": made.password if made else None})
        return
    print(f"operator {login} is added")
    if made is not None:
        print(f"password {made.password}   (shown this once)")


@app.command("set", epilog="Example: frontdesk operator set anna --role supervisor")
def change(
    ctx: typer.Context,
    login: Login,
    password: Password = None,
    key: Keys = None,
    extension: OfExtension = None,
    role: RoleOption = None,
    clear: Clear = None,
    state: StateOption = None,
) -> None:
    """Change what is named; keys are added to those there are."""
    fields = OperatorFields(password, _read_keys(key), role, extension, frozenset(clear or ()))
    if fields == OperatorFields():
        raise typer.BadParameter("name what should change, see --help")
    with reach(folder_of(ctx, state)) as asked:
        asked(SetOperator(login, fields))
        operator = asked(ShowOperator(login))
    print(f"operator {login} is changed")
    if operator.password_hash is None and not operator.keys:
        print(f"frontdesk: {login} cannot log in now: give --password or --key", file=sys.stderr)


@app.command("list", epilog="Example: frontdesk operator list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List all operators."""
    documents = [operator_document(operator) for operator in ask(folder_of(ctx, state), ListOperators())]
    if json:
        print_json(documents)
        return
    rows = [(d["login"], d["role"], d["extension"], d["password"], len(d["keys"])) for d in documents]
    print_table(
        ("login", "role", "extension", "password", "keys"),
        rows,
        "There is no operator yet: add one with 'frontdesk operator add LOGIN'.",
    )


@app.command("show", epilog="Example: frontdesk operator show anna")
def show(ctx: typer.Context, login: Login, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one operator."""
    document = operator_document(ask(folder_of(ctx, state), ShowOperator(login)))
    if json:
        print_json(document)
    else:
        print_facts(document.items())


@app.command("remove", epilog="Example: frontdesk operator remove anna")
def remove(ctx: typer.Context, login: Login, state: StateOption = None) -> None:
    """Remove an operator; the last administrator stays."""
    ask(folder_of(ctx, state), RemoveOperator(login))
    print(f"operator {login} is removed")


def _read_keys(files: list[Path] | None) -> tuple[str, ...]:
    lines: list[str] = []
    for file in files or ():
        try:
            text = file.expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise RefusedError(f"cannot read the key {file}: {why}", "name a file that ends in .pub") from None
        found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not found:
            raise RefusedError(f"there is no key in {file}", "name a file that ends in .pub")
        lines += found
    return tuple(lines)
