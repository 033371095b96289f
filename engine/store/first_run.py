"""Sets a new office up: three extensions and an administrator, with passwords that are shown once."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import StateFolderError
from engine.core.paths import FIRST_RUN
from engine.store.configuration import Extension, Operator, Role
from engine.store.outside import ANY, ScreenRow
from engine.store.passwords import digest_secrets, hash_password, make_password
from engine.store.store import Store

if TYPE_CHECKING:
    from engine.store.rows import Rows

NUMBERS = ("100", "101", "102")
LOGIN = "admin"
FAREWELL = "These passwords are stored nowhere else. Once they are typed in, remove this file."
"""How ``first-run.txt`` ends; it means nothing where the text is shown, not read from the file."""


@dataclass(frozen=True, slots=True)
class Account:
    """A number or login and its password in the clear."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the first run made; the only place where these passwords can be read."""

    realm: str
    phones: tuple[Account, ...]
    """Extensions that were made: user name and password for a phone."""
    operator: Account | None
    """``None`` when the office already had an operator."""

    def as_text(self, server: str, console: str, tls_server: str | None = None) -> str:
        """What to type into a phone (``server`` is host:port of SIP) and how to reach the console."""
        lines = ["Frontdesk is set up. Type these values into your phones:", ""]
        lines.append(f"  server      {server}  (UDP or TCP)")
        if tls_server is not None:
            lines.append(f"  over TLS    {tls_server}  (its certificate is in tls/ of the state folder)")
        lines += [f"  realm       {self.realm}  (only if the phone asks)", ""]
        for phone in self.phones:
            lines.append(f"  extension   {phone.name:<8}  user name {phone.name:<8}  password {phone.password}")
        if self.operator is not None:
            lines += ["", f"The console: {console}", f"  login       {self.operator.name}"]
            lines.append(f"  password    {self.operator.password}")
        lines += ["", FAREWELL, ""]
        return "\n".join(lines)


def set_up(store: Store, keep: Callable[[FirstRun], None]) -> FirstRun:
    """Make what a new office needs and is not there yet; waits for the commit (0.5 s or so).

    ``keep`` gets the passwords before anything is committed, on the store's thread: when it raises nothing is made.
    """
    realm = store.configuration.realm
    first = FirstRun(
        realm=realm,
        phones=tuple(Account(number, make_password()) for number in NUMBERS),
        operator=Account(LOGIN, make_password()),
    )
    return store.submit(lambda rows: _write(rows, first, keep)).result(timeout=30)


def write_first_run(
    folder: Path, first: FirstRun, server: str, console: str, tls_server: str | None = None
) -> Path:
    """Write the passwords to ``first-run.txt`` (mode 0600) and return its path; raises ``StateFolderError``."""
    path = folder / FIRST_RUN
    try:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(first.as_text(server, console, tls_server))
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise StateFolderError(
            f"cannot write {path}: {error.strerror}", "mend that and start again; nothing has been set up"
        ) from None
    return path


def _write(rows: Rows, first: FirstRun, keep: Callable[[FirstRun], None]) -> FirstRun:
    made = tuple(phone for phone in first.phones if rows.extensions.find(phone.name) is None)
    for phone in made:
        secrets = digest_secrets(phone.name, first.realm, phone.password)
        rows.extensions.put(Extension(number=phone.name, name=None, secrets=secrets))
    operator = first.operator if not rows.operators.all() else None
    if operator is not None:
        rows.operators.put(Operator(operator.name, Role.ADMIN, hash_password(operator.password)))
    if made and not rows.screening.all():
        rows.screening.add(ScreenRow(0, "anonymous", ANY))
    rows.site.put("set_up_at", datetime.now(UTC).isoformat(timespec="seconds"))
    done = FirstRun(first.realm, made, operator)
    keep(done)
    return done
