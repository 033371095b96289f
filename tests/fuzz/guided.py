"""``python -m tests.fuzz.guided CAMPAIGN FOLDER [OPTION...]``: a campaign led by coverage, with atheris."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from random import Random

import atheris

from tests.fuzz.campaign import Campaign, Harness, keep, minimised

BATCH = 250


class Guided:
    """One campaign driven by libFuzzer, which keeps what reaches new code and mutates that."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._world: Harness | None = None
        self._worlds = 0
        self._left = 0

    def test_one(self, data: bytes) -> None:
        """Throw one message; what fails is made small and kept before libFuzzer ends the run."""
        try:
            self._renew().check(data)
        except Exception:
            print(f"kept as {keep(self._campaign.name, minimised(data, self._fails))}", file=sys.stderr)
            raise

    def mutate(self, data: bytes, most_bytes: int, seed: int) -> bytes:
        """What the protocol knows to do to a message, or what libFuzzer does to bytes."""
        chance = Random(seed)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(data, most_bytes))
        return self._campaign.change(data, chance)[:most_bytes]

    def _renew(self) -> Harness:
        """Another world after each batch; the old one must be empty."""
        if self._left == 0 or self._world is None:
            if self._world is not None:
                self._world.close()
            self._worlds += 1
            self._world = self._campaign.world(self._worlds)
            self._left = BATCH
        self._left -= 1
        return self._world

    def _fails(self, data: bytes) -> bool:
        world = self._campaign.world(1)
        try:
            world.check(data)
            world.close()
        except Exception:
            return True
        return False


def main() -> None:
    logging.getLogger("engine").addHandler(logging.NullHandler())
    logging.getLogger("engine").propagate = False
    with atheris.instrument_imports(include=["engine.sip", "engine.pbx"]):
        from tests.fuzz.targets import CAMPAIGNS
    name, folder, *options = sys.argv[1:]
    campaign = CAMPAIGNS[name]()
    for number, seed in enumerate(campaign.seeds):
        (Path(folder) / f"seed-{number}").write_bytes(seed)
    guided = Guided(campaign)
    atheris.Setup([sys.argv[0], folder, *options], guided.test_one, custom_mutator=guided.mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
