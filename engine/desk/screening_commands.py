"""Commands about the screening list and the address list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import NotFoundError, RefusedError
from engine.desk.counter import Counter
from engine.desk.dialling import (
    AddScreenRow,
    ListAddresses,
    ListScreening,
    PutAddress,
    RemoveAddress,
    RemoveScreenRow,
    ScreenView,
    SetScreenRow,
)
from engine.desk.routing_checks import check_any_prefix, check_network, check_rate
from engine.store.outside import AddressRow, ScreenRow

if TYPE_CHECKING:
    from engine.store.rows import Rows


async def list_screening(counter: Counter, command: ListScreening) -> tuple[ScreenView, ...]:
    hits = counter.office.screen_hits() if counter.office is not None else {}
    return tuple(ScreenView(row, hits.get(row.id, 0)) for row in counter.configuration.screening)


async def add_screen_row(counter: Counter, command: AddScreenRow) -> int:
    row = checked_screen_row(ScreenRow(0, command.caller, command.called, command.rate, command.is_white))

    def add(rows: Rows) -> int:
        _demand_new(rows, row)
        return rows.screening.add(row)

    return await counter.change(add, "screening")


async def set_screen_row(counter: Counter, command: SetScreenRow) -> None:
    def change(rows: Rows) -> None:
        current = rows.screening.find(command.id)
        if current is None:
            raise _missing(command.id)
        given = {
            name: value
            for name in ("caller", "called", "rate", "is_white")
            if (value := getattr(command, name)) is not None
        }
        row = checked_screen_row(replace(current, **given))
        _demand_new(rows, row)
        rows.screening.put(row)

    await counter.change(change, "screening")


async def remove_screen_row(counter: Counter, command: RemoveScreenRow) -> None:
    def remove(rows: Rows) -> None:
        if not rows.screening.remove(command.id):
            raise _missing(command.id)

    await counter.change(remove, "screening")


async def list_addresses(counter: Counter, command: ListAddresses) -> tuple[AddressRow, ...]:
    return counter.configuration.addresses


async def put_address(counter: Counter, command: PutAddress) -> str:
    network = check_network(command.network)

    def put(rows: Rows) -> None:
        rows.addresses.put(AddressRow(network, command.is_white))

    await counter.change(put, f"address {network}")
    return network


async def remove_address(counter: Counter, command: RemoveAddress) -> None:
    network = check_network(command.network)

    def remove(rows: Rows) -> None:
        if not rows.addresses.remove(network):
            raise NotFoundError(f"{network} is not in the list", "see 'frontdesk address list'")

    await counter.change(remove, f"address {network}")


def _demand_new(rows: Rows, row: ScreenRow) -> None:
    for other in rows.screening.all():
        if (other.caller, other.called) == (row.caller, row.called) and other.id != row.id:
            raise RefusedError(
                f"row {other.id} is for the same calls", f"remove it with 'frontdesk screen remove {other.id}'"
            )


def _missing(number: int) -> NotFoundError:
    return NotFoundError(f"there is no screening row {number}", "see 'frontdesk screen list'")


def checked_screen_row(row: ScreenRow) -> ScreenRow:
    """The row as it is kept; raises ``RefusedError``. A white row blocks nothing."""
    check_any_prefix(row.caller)
    check_any_prefix(row.called)
    return ScreenRow(row.id, row.caller, row.called, 0 if row.is_white else check_rate(row.rate), row.is_white)
