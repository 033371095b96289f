"""The fuzzing campaigns in small: at least 20,000 messages of each kind, and all that was ever found."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.campaign import CORPUS, Campaign, Limits, minimised
from tests.fuzz.targets import CAMPAIGNS

SLICES = 8
"""So that several workers share the work."""
EXECUTIONS_OF_SLICE = 2_500
FIRST, *REST = range(SLICES)


@pytest.fixture(scope="module", params=["sip", "sdp"])
def campaign(request: pytest.FixtureRequest) -> Campaign:
    return CAMPAIGNS[request.param]()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", [FIRST, *(pytest.param(part, marks=pytest.mark.thorough) for part in REST)])
def test_mutated_messages_are_served_refused_or_dropped(campaign: Campaign, part: int) -> None:
    report = campaign.run(Limits(executions=EXECUTIONS_OF_SLICE, seed=part + 1))
    assert not report.findings, "\n".join(report.findings)
    assert report.executions >= EXECUTIONS_OF_SLICE


@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", [FIRST, pytest.param(REST[0], marks=pytest.mark.thorough)])
def test_streams_tell_the_same_story_however_they_are_cut(part: int) -> None:
    report = CAMPAIGNS["stream"]().run(Limits(executions=EXECUTIONS_OF_SLICE, seed=part + 1))
    assert not report.findings, "\n".join(report.findings)


def test_the_test_run_has_its_share_of_executions() -> None:
    assert SLICES * EXECUTIONS_OF_SLICE >= 20_000


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in sorted(CORPUS.glob("s[id]p/*"))])
def test_what_is_kept_in_the_corpus_harms_nothing(path: Path) -> None:
    world = CAMPAIGNS[path.parent.name]().world(1)
    try:
        world.check(path.read_bytes())
    finally:
        world.close()


class Fragile:
    """A world that breaks when a message says so, or that two messages leave something in."""

    def __init__(self, seed: int) -> None:
        self.left = 0

    def check(self, message: bytes) -> None:
        self.left += message.startswith(b"stay")
        if b"boom" in message:
            raise ValueError("boom")

    def close(self) -> None:
        assert self.left < 2


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("tests.fuzz.campaign.CORPUS", tmp_path)
    return tmp_path / "toy"


def test_a_message_that_breaks_something_is_kept_in_small(kept: Path) -> None:
    def change(seed: bytes, chance: Random) -> bytes:
        return b"x" * 40 + b"boom" + b"y" * 40 if chance.random() < 0.5 else b"harmless"

    report = Campaign("toy", [b""], change, Fragile, batch=50).run(Limits(executions=1))
    assert len(report.findings) == 1
    assert [path.read_bytes() for path in kept.iterdir()] == [b"boom"]


def test_messages_that_only_break_something_together_are_kept_together(kept: Path) -> None:
    def change(seed: bytes, chance: Random) -> bytes:
        return b"stay %d" % chance.randrange(1000) if chance.random() < 0.3 else b"harmless"

    report = Campaign("toy", [b""], change, Fragile, batch=30).run(Limits(executions=1))
    assert len(report.findings) == 1
    assert len(list(kept.iterdir())) == 2


def test_a_minimised_message_still_fails_and_no_part_of_it_can_be_left_out() -> None:
    def fails(message: bytes) -> bool:
        return message.count(b"(") > 2 and b"z" in message

    assert sorted(minimised(b"a(b(c)d(e)fgz" * 20, fails)) == sorted(b"(((z")
