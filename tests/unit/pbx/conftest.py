"""An office in memory that must be empty after every scenario."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.unit.pbx.office import MemoryOffice


@pytest.fixture
def office() -> Iterator[MemoryOffice]:
    """Whatever the scenario did: afterwards nothing is left."""
    office = MemoryOffice()
    try:
        yield office
        office.everyone_hangs_up()
        office.assert_nothing_is_left()
    finally:
        office.close()


@pytest.fixture
def logged_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """For a test that provokes errors: what was logged of them so far, filled as it happens."""
    found: list[str] = []
    handler = caplog.handler
    emit = handler.emit

    def note(record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            found.append(record.getMessage())
        emit(record)

    handler.emit = note  # type: ignore[method-assign]
    return found


@pytest.fixture(autouse=True)
def no_error_goes_unseen(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """An error in the log is a bug of ours, but for the tests that provoke one."""
    yield
    if "logged_errors" in request.fixturenames:
        return
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]
