"""An open store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import writer
from engine.store.store import Store


@pytest.fixture(autouse=True)
def quick_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches, looks and retries at a test's pace."""
    monkeypatch.setattr(writer, "BATCH_S", 0.001)
    monkeypatch.setattr(writer, "LOOK_S", 0.01)
    monkeypatch.setattr(writer, "_FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(writer, "_LAST_RETRY_S", 0.02)
    monkeypatch.setattr(writer, "_CLOSING_S", 0.1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state", patience_s=0.02)
    yield opened
    opened.close()
