"""A receptionist's console: the stock ssh client in tmux, logged in to an office."""

from __future__ import annotations

from pathlib import Path

from tests.live.office import Office
from tests.live.terminal import Terminal, ssh_command

LOGIN, PASSWORD = "reception", "Desk-pw-31x"
SWITCHBOARD = "Live calls|当前通话"


def add_operator(office: Office) -> None:
    """The login that ``open_console`` uses."""
    office.cli("operator", "add", LOGIN, "--password", PASSWORD, "--role", "admin")


def open_console(
    office: Office,
    folder: Path,
    *,
    columns: int = 120,
    rows: int = 34,
    true_colour: bool = False,
    login: str = LOGIN,
    asks: str = "",
) -> Terminal:
    """Log in by password; returns once the Switchboard is drawn. ``asks``: the terminal's ``LC_ALL``."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ssh_command(office.host, office.ssh_port, login, folder)
    wishes = [*(["COLORTERM=truecolor"] if true_colour else []), *([f"LC_ALL={asks}"] if asks else [])]
    if wishes:
        command[1:1] = ["-o", f"SetEnv={' '.join(wishes)}"]
    terminal = Terminal(folder, command, columns=columns, rows=rows)
    try:
        terminal.shows("[Pp]assword", 10)
        terminal.type(PASSWORD)
        terminal.press("Enter")
        terminal.shows(SWITCHBOARD, 10)
    except BaseException:
        terminal.close()
        raise
    return terminal
