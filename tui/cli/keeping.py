"""``frontdesk backup`` and ``frontdesk restore``: the whole office as one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from engine.core.paths import state_folder
from tui.cli.options import StateOption, folder_of
from tui.cli.stopping import say
from tui.texts import N_

Progress = Callable[[int, int], None]


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    state: StateOption = None,
) -> None:
    """Write the whole office to FILE (mode 0600): database, keys, recordings, services of its own.

    The office may run meanwhile: the copy is of one moment.
    """
    from engine.backup.writing import write_backup

    with _bar(say(N_("Writing the backup"))) as progress:
        manifest = write_backup(folder_of(ctx, state), file.absolute(), progress)
    files = "one file" if len(manifest.files) == 1 else f"{len(manifest.files)} files"
    print(f"{file} holds {files}, {_size(sum(each.size for each in manifest.files))}")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    state: StateOption = None,
) -> None:
    """Make the office what FILE holds, checked first to the last byte; the state before is kept beside it.

    No engine may run meanwhile.
    """
    from engine.backup.restoring import restore_backup

    folder = state_folder(state if state is not None else ctx.find_root().params.get("state"))
    with _bar(say(N_("Restoring the backup"))) as progress:
        manifest, aside = restore_backup(folder, file, progress)
    print(f"{folder} is what it was on {manifest.made_at.replace('T', ' ').partition('+')[0]} UTC")
    if aside is not None:
        print(f"the state before is in {aside}: remove it once all is well")


@contextmanager
def _bar(words: str) -> Iterator[Progress]:
    """A progress bar on a terminal; a program that reads us gets nothing of it."""
    if not sys.stdout.isatty():
        yield lambda done, total: None
        return
    from rich.progress import Progress as Bar  # 0.1 s that only a person who waits pays

    with Bar(transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.0f} KiB"
