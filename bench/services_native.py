"""The floor of the services' section: the native gateway alone, that says the same words to as many phones.

``python -m bench.services_native CALLS HOST PEER PORT`` prints ``ready`` once all hear it, and ends with its input.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from engine.media.gateway import Clip, LegPlan, MediaAddress, PayloadFormat
from engine.media.native import NativeGateway
from engine.media.prompts import Prompts
from engine.pbx.spoken import digits_clips

PROMPT, KEYS = "enter-number", "1234"
FORMATS = (PayloadFormat(8, "PCMA", 8000),)


def words() -> Clip:
    """What a caller hears in one round."""
    prompts = Prompts(Path("/nonexistent"))
    found = [prompts.find(name, "en") for name in (PROMPT, *digits_clips(KEYS))]
    return Clip("round", b"".join(clip.samples for clip in found if clip is not None))


async def speak(calls: int, host: str, peer: str, port: int) -> None:
    gateway, clip = NativeGateway(30000, 59999), words()
    await gateway.start()
    for _ in range(calls):
        leg, _ = await gateway.open_leg(host)
        await gateway.update_leg(leg, LegPlan(MediaAddress(peer, port, port + 1), FORMATS))
        await gateway.play(leg, clip, repeat=True)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await gateway.stop()


if __name__ == "__main__":
    asyncio.run(speak(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
