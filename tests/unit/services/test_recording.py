"""Recording on demand: who may press the code in a call, and what is kept of it."""

from __future__ import annotations

from pathlib import Path

from engine.store.configuration import Right
from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.scene import press


def test_a_party_with_the_right_records_its_call(scene: MemoryOffice) -> None:
    scene.has("101", rights=frozenset({Right.RECORD}))
    anna, ben, call, _ = scene.talking()
    press(scene, anna, "*1")
    assert scene.hears(anna) == "recording-on"
    assert scene.hears(ben) == "101"
    (recording,) = scene.gateway.recordings.values()
    assert isinstance(recording.target, tuple)
    assert scene.call.recording == str(recording.file)
    press(scene, anna, "*1")
    assert recording.has_ended
    press(scene, anna, "*1")
    call.hang_up()
    scene.settle()
    assert all(each.has_ended for each in scene.gateway.recordings.values())
    assert scene.record.recording is not None
    assert Path(scene.record.recording).is_file()


def test_without_the_right_nothing_is_listened_to(scene: MemoryOffice) -> None:
    anna, _, _, _ = scene.talking()
    press(scene, anna, "*1")
    assert not scene.gateway.recordings
    assert scene.hears(anna) == "102"


def test_a_disk_that_cannot_be_written_ends_no_call(scene: MemoryOffice, tmp_path: Path) -> None:
    scene.has("101", rights=frozenset({Right.RECORD}))
    anna, _, call, _ = scene.talking()
    (tmp_path / "recordings").write_text("in the way")
    press(scene, anna, "*1")
    assert scene.hears(anna) == "cannot-complete"
    assert call.is_up
    assert scene.call.recording is None


def test_a_disk_that_fills_up_ends_the_recording_and_no_call(scene: MemoryOffice) -> None:
    scene.has("101", rights=frozenset({Right.RECORD}))
    anna, ben, call, _ = scene.talking()
    press(scene, anna, "*1")
    scene.advance(2)
    (number,) = scene.gateway.recordings

    async def fill() -> None:
        assert scene.gateway.on_recording_failed is not None
        scene.gateway.on_recording_failed(number, "No space left on device")

    scene.run(fill())
    scene.settle()
    assert scene.hears(anna) == "recording-off"
    assert scene.hears(ben) == "101"
    assert call.is_up
    scene.advance(2)
    press(scene, anna, "*1")
    assert scene.hears(anna) == "recording-on"
