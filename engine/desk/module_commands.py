"""Commands about the text of services: read, compile, keep as the office's own, go back to the shipped one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.core.errors import NotFoundError, RefusedError
from engine.core.paths import LUA
from engine.desk.counter import Counter
from engine.desk.private_file import write_privately
from engine.desk.service_checks import check_service_name
from engine.desk.services import CheckService, ReadService, RemoveService, ServiceText, WriteService

MOST_BYTES = 256 * 1024
"""Of one service: what the shipped ones have, a hundred times over."""


async def read_service(counter: Counter, command: ReadService) -> ServiceText:
    return await asyncio.to_thread(_read, counter.store.folder, check_service_name(command.name))


async def check_service(counter: Counter, command: CheckService) -> str | None:
    name, source = check_service_name(command.name), _encoded(command.source)
    return await counter.running_office().check_service(name, source)


async def write_service(counter: Counter, command: WriteService) -> str:
    name, source = check_service_name(command.name), _encoded(command.source)
    complaint = await counter.running_office().check_service(name, source)
    if complaint is not None:
        raise RefusedError(f"the service does not compile: {complaint}", "mend that line")
    folder = counter.store.folder
    return await asyncio.to_thread(_write, folder, name, source, command.was)


async def remove_service(counter: Counter, command: RemoveService) -> None:
    name = check_service_name(command.name)
    own = _own(counter.store.folder) / f"{name}.lua"
    is_shipped = (LUA / "services" / own.name).is_file()
    if not own.is_file():
        raise NotFoundError(f"the service {name} has no text of the office's own", "see 'frontdesk service list'")
    users = [f"trigger {each.id}" for each in counter.configuration.triggers if each.service == name]
    users += [f"route {each.id}" for each in counter.configuration.routes if each.service == name]
    users += [f"inbound number {each.id}" for each in counter.configuration.inbound if each.service == name]
    if users and not is_shipped:
        raise RefusedError(f"service {name} is led to by {users[0]}", "remove that first, or lead it elsewhere")
    try:
        await asyncio.to_thread(own.unlink)
    except OSError as error:
        raise RefusedError(f"cannot remove {own}: {error.strerror}", "see who owns that file") from None


def _own(folder: Path) -> Path:
    return folder / "lua" / "services"


def _encoded(source: str) -> bytes:
    encoded = source.encode("utf-8", "surrogateescape")
    if len(encoded) > MOST_BYTES:
        raise RefusedError("the service is too long", f"use {MOST_BYTES // 1024} KiB at most")
    return encoded


def _read(folder: Path, name: str) -> ServiceText:
    for place in (_own(folder), LUA / "services"):
        file = place / f"{name}.lua"
        try:
            source = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RefusedError(f"cannot read {file}: {error.strerror}", "see who owns that file") from None
        return ServiceText(name, str(file), place == _own(folder), source.decode("utf-8", "replace"))
    raise NotFoundError(f"there is no service '{name}'", "see 'frontdesk service list'")


def _write(folder: Path, name: str, source: bytes, was: str | None) -> str:
    """Put the text in its place at once, so that a call that begins meanwhile gets the one or the other."""
    if was is not None and _text_of(folder, name) not in (was, None):
        raise RefusedError(f"the service {name} has changed meanwhile", "look at it as it is now, and try again")
    file = _own(folder) / f"{name}.lua"
    try:
        write_privately(file, source, is_lasting=True)
    except OSError as error:
        raise RefusedError(f"cannot write {file}: {error.strerror}", "make room, then try again") from None
    return str(file)


def _text_of(folder: Path, name: str) -> str | None:
    try:
        return _read(folder, name).source
    except NotFoundError:
        return None
