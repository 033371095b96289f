"""``frontdesk export`` and ``frontdesk import``: the whole configuration as one TOML file."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Annotated

import typer

from engine.core.errors import RefusedError
from engine.desk.commands import ExportConfiguration, ImportConfiguration, ImportReport
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of
from tui.cli.output import print_json

_LARGEST = 3 * 2**20


def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", show_default=False)] = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="With the hashes of all passwords, to move to another machine.")
    ] = False,
    state: StateOption = None,
) -> None:
    """Write the whole configuration to FILE (or standard output) as TOML that can be edited and imported again."""
    text = ask(folder_of(ctx, state), ExportConfiguration(secrets=secrets))
    if file is None or str(file) == "-":
        sys.stdout.write(text)
        return
    write_whole(file, text.encode())
    print(f"the configuration is in {file}{'' if secrets else ', without passwords'}")


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Replace the whole configuration by FILE, all of it or nothing; calls that run are not touched.

    Extensions and operators that FILE does not name are removed. Whoever has no password in it keeps the one
    there is; for somebody new one is made up and shown once.
    """
    report: ImportReport = ask(
        folder_of(ctx, state), ImportConfiguration(_read(file), dry_run=dry_run), makes_office=not dry_run
    )
    if json:
        print_json(
            {
                "dry_run": dry_run,
                "changes": [{"sign": c.sign, "what": c.what, "detail": c.detail or None} for c in report.changes],
                "passwords": {made.account: made.password for made in report.passwords},
            }
        )
        return
    for change in report.changes:
        print(f"{change.sign} {change.what}{f'  {change.detail}' if change.detail else ''}")
    for made in report.passwords:
        print(f"password of {made.account}: {made.password}")
    print(_summary(len(report.changes), dry_run))


def _summary(count: int, is_dry: bool) -> str:
    if not count:
        return "the configuration is the same already"
    things = "one change" if count == 1 else f"{count} changes"
    return f"{things}; nothing is changed yet: leave --dry-run out to do it" if is_dry else f"imported: {things}"


def write_whole(file: Path, data: bytes) -> None:
    """Write ``file`` (mode 0600) whole or not at all; raises ``RefusedError``."""
    fresh: str | None = None
    try:
        if file.exists() and not file.is_file():  # a pipe or a terminal takes it as it is
            file.write_bytes(data)
            return
        handle, fresh = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        os.replace(fresh, file)
    except OSError as error:
        if fresh is not None:
            with suppress(OSError):
                os.unlink(fresh)
        raise RefusedError(
            f"cannot write {file}: {error.strerror}", "name another file, or free some space"
        ) from None


def _read(file: Path) -> str:
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else file.open("rb") as source:
            data = source.read(_LARGEST + 1)
    except OSError as error:
        raise RefusedError(
            f"cannot read {file}: {error.strerror}", "name a file that 'frontdesk export' wrote"
        ) from None
    if len(data) > _LARGEST:
        raise RefusedError(f"{file} is larger than {_LARGEST // 2**20} MiB", "name a configuration file")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise RefusedError(f"{file} is no UTF-8 text", "name a file that 'frontdesk export' wrote") from None
