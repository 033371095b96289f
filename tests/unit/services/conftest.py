"""An office in memory with the real Lua services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.host import services_in


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The folder of the office's own services."""
    folder = tmp_path / "lua" / "services"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def office(own: Path) -> Iterator[MemoryOffice]:
    """Whatever the scenario did: afterwards nothing is left."""
    office = MemoryOffice(services=services_in(own))
    try:
        yield office
        office.everyone_hangs_up()
        office.assert_nothing_is_left()
    finally:
        office.close()
