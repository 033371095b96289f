"""What an owner, a disk or a caller may do to a service: it is told, and nobody else is harmed."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from engine.core.events import AlarmRaised, ServiceFailed
from engine.media.gateway import Clip
from engine.pbx.messages import MOST_MESSAGES
from tests.unit.pbx.office import MemoryOffice
from tests.unit.services.host import write_service
from tests.unit.services.scene import CLIP_MS, dial, has_trigger, hears_all, press


def has_service(scene: MemoryOffice, own: Path, body: str) -> None:
    write_service(own, "tried", body)
    has_trigger(scene, "*1000", "tried")


def marks(scene: MemoryOffice) -> list[str]:
    return [event.text for event in scene.heard_events(AlarmRaised) if isinstance(event, AlarmRaised)]


def failures(scene: MemoryOffice) -> list[str]:
    return [event.reason for event in scene.heard_events(ServiceFailed) if isinstance(event, ServiceFailed)]


# -- prompts ----------------------------------------------------------------------------------------------------


def test_a_list_of_prompts_has_an_end(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    body = """
    call:answer()
    local long = {}
    for place = 1, 101 do long[place] = "welcome" end
    local _, why = call:play(long)
    local _, late = call:collect({ prompt = long })
    call:mark(why .. "; " .. late)
    for place = 1, 2000 do long[place] = "welcome" end
    call:play(long)
    """
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    why = "101 clips are too many at once: use 100 at most"
    assert marks(scene) == [f"{why}; {why}"]
    assert failures(scene) == ["tried.lua:11: this is too much at once: a verb takes 65536 bytes"]


def test_prompts_without_end_end_with_the_call(scene: MemoryOffice, own: Path) -> None:
    anna, ben = scene.registered("101", "102")
    has_service(scene, own, 'call:answer() while true do call:play({ "welcome", "beep" }) end')
    call = dial(scene, anna, "*1000")
    scene.advance(60)
    assert call.is_up
    other = dial(scene, ben, "*60")
    assert hears_all(scene, ben, other)[0] == "time-is"
    call.hang_up()
    scene.settle()
    assert not scene.office.calls()
    assert not failures(scene)


def test_prompts_that_last_no_time_outrun_nobody(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    scene.office.exchange.prompts = lambda name, language: Clip(name, b"")
    has_service(scene, own, 'call:answer() while true do call:play("welcome") end')
    call = dial(scene, anna, "*1000")
    scene.advance(5)
    assert call.is_up
    call.hang_up()
    scene.settle()
    assert not scene.office.calls()
    assert not failures(scene)


def test_a_prompt_that_is_missing_is_a_value_and_the_service_goes_on(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    scene.office.exchange.prompts = lambda name, language: (
        None if name == "gone" else Clip(name, bytes(16 * CLIP_MS))
    )
    body = """
    call:answer()
    local _, why = call:play({ "welcome", "gone" })
    local _, asked = call:collect({ prompt = "gone" })
    call:mark(why)
    call:mark(asked)
    call:play("goodbye")
    """
    has_service(scene, own, body)
    call = dial(scene, anna, "*1000")
    assert hears_all(scene, anna, call) == ["goodbye"]
    assert all(text.startswith("there is no clip 'gone': use one of beep") for text in marks(scene))
    assert len(marks(scene)) == 2


def test_a_message_that_goes_while_it_waits_its_turn_is_a_value(scene: MemoryOffice, own: Path) -> None:
    (anna,) = scene.registered("101")
    folder = scene.keeper.folder / "voicemail" / "101"
    folder.mkdir(parents=True)
    with wave.open(str(folder / "new-1-102.wav"), "wb") as audio:
        audio.setparams((1, 2, 8000, 0, "NONE", ""))
        audio.writeframes(bytes(1600))
    body = """
    call:answer()
    local is_played, why = call:play({ "welcome", "box:101/new-1-102" })
    call:mark(tostring(is_played) .. " " .. why)
    """
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    (folder / "new-1-102.wav").unlink()
    scene.advance(1)
    assert marks(scene) == ["nil there is no recording 'box:101/new-1-102'"]


@pytest.mark.parametrize("data", [b"", b"RIFF", b"no sound at all" * 100])
def test_a_recording_that_is_spoilt_is_a_value(scene: MemoryOffice, own: Path, data: bytes) -> None:
    (anna,) = scene.registered("101")
    folder = scene.keeper.folder / "voicemail" / "101"
    folder.mkdir(parents=True)
    (folder / "greeting.wav").write_bytes(data)
    body = """
    call:answer()
    local _, why = call:play("greeting:101")
    local _, endless = call:play("greeting:101", { ["repeat"] = true })
    call:mark(why == endless and why or "they differ")
    """
    has_service(scene, own, body)
    dial(scene, anna, "*1000")
    assert "greeting.wav cannot be played" in marks(scene)[0]


@pytest.mark.parametrize(
    "name",
    ["box:../101/x", "greeting:../../etc/passwd", "box:101/../102/new-1-1", "../beep", "box:101", "greeting:"],
)
def test_no_name_of_a_clip_leads_out_of_the_folders(scene: MemoryOffice, own: Path, name: str) -> None:
    (anna,) = scene.registered("101")
    scene.office.exchange.prompts = lambda name, language: None
    has_service(scene, own, f'call:answer() local _, why = call:play("{name}") call:mark(why)')
    dial(scene, anna, "*1000")
    assert marks(scene)[0].startswith("there is no ")


# -- recordings -------------------------------------------------------------------------------------------------


def test_a_disk_that_takes_nothing_is_told_to_who_speaks(
    scene: MemoryOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene.gateway, "start_recording", refuse)
    (anna,) = scene.registered("101")
    scene.has("102")
    call = dial(scene, anna, "*98*102")
    assert hears_all(scene, anna, call)[-1] == "vm-full"
    assert not failures(scene)


def test_a_folder_that_cannot_be_made_is_told_to_who_speaks(scene: MemoryOffice) -> None:
    (scene.keeper.folder / "voicemail").write_text("a file where the folder should be")
    (anna,) = scene.registered("101")
    scene.has("102")
    call = dial(scene, anna, "*98*102")
    assert hears_all(scene, anna, call)[-1] == "vm-full"
    assert not failures(scene)


def test_a_box_over_its_limit_takes_no_more_and_goes_on_telling(scene: MemoryOffice) -> None:
    """However the messages came there: the owner hears them all and may remove some."""
    folder = scene.keeper.folder / "voicemail" / "102"
    folder.mkdir(parents=True)
    for place in range(MOST_MESSAGES + 20):
        (folder / f"new-{place}-101.wav").write_bytes(b"")
    anna, ben = scene.registered("101", "102")
    assert hears_all(scene, anna, dial(scene, anna, "*98*102"))[-1] == "vm-full"
    assert len(list(folder.iterdir())) == MOST_MESSAGES + 20
    mine = dial(scene, ben, "*97")
    scene.advance(0.1)
    assert scene.hears(ben) in ("vm-have", "digits/100")
    scene.advance(1)
    press(scene, ben, "3")
    scene.advance(0.3)
    assert len(list(folder.iterdir())) == MOST_MESSAGES + 19
    mine.hang_up()
    scene.settle()
