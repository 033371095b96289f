"""An office in memory with the real Lua services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.host import services_in
from tests.unit.services.scene import set_the_scene


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


@pytest.fixture
def scene(office: MemoryOffice, tmp_path: Path) -> MemoryOffice:
    """The office with the codes of a new one, and prompts that are heard by their names."""
    office.keeper.folder = tmp_path
    set_the_scene(office)
    return office
