"""Draws the console as a picture from a real session: ``python -m tests.live.screenshots docs``."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.color_triplet import ColorTriplet
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.live.baresip import Baresip, start_baresip
from tests.live.console import LOGIN, add_operator, open_console
from tests.live.network import Network, take_network
from tests.live.office import Office, open_office
from tests.live.terminal import Terminal

PEOPLE = {
    "103": "Anna Berger", "104": "Bo Chen 陈波", "105": "Eva Fuchs", "106": "Ida Lange", "107": "Jan Kohl",
    "108": "Max Reiter", "109": "Nora Vogt", "110": "Lager", "111": "Werkstatt", "112": "Konferenz",
}  # fmt: skip
LANGUAGES = {"en": "en_GB.UTF-8", "zh": "zh_CN.UTF-8"}
"""The folders of the manual, and what a terminal asks for."""
PICTURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("switchboard", ()),
    ("call", ("Tab", "Enter", "Down", "Down", "Down")),
    ("form", ("C-Right", "n", *"113", "Tab", *"Lea Sommer")),
)
"""Name, and the keys pressed before."""
FONTS = "DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace"
REGISTERED = ("103", "104", "105", "106", "107", "108")


def to_svg(terminal: Terminal, title: str, columns: int) -> str:
    """The terminal's screen as SVG that needs no font from the network."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=columns, file=nowhere, force_terminal=True, color_system="truecolor")
        lines = [Text.from_ansi(line) for line in terminal.screen(with_colours=True).splitlines()]
        for line in lines:
            console.print(line, soft_wrap=True)
        svg = console.export_svg(title=title, theme=_theme(lines))
    without_fonts = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]*;", f"font-family: {FONTS};", without_fonts)


def _theme(lines: list[Text]) -> TerminalTheme:
    """Colours of the terminal round the screen: the background that covers most of it."""
    areas: Counter[ColorTriplet] = Counter()
    for span in (span for line in lines for span in line.spans):
        style = span.style if isinstance(span.style, Style) else Style.parse(span.style)
        if style.bgcolor:
            areas[style.bgcolor.get_truecolor()] += span.end - span.start
    background = areas.most_common(1)[0][0] if areas else ColorTriplet(16, 20, 24)
    grey = (128, 128, 128)
    return TerminalTheme(background, (220, 220, 220), [grey] * 8)


async def staff_office(office: Office, folder: Path, network: Network) -> list[Baresip]:
    """A morning at the office: one call talks, one is held, one waits for the operator."""
    for number, name in PEOPLE.items():
        office.extension(number, "--name", name)
    add_operator(office)
    office.cli("operator", "set", LOGIN, "--extension", REGISTERED[-1])
    office.cli("extension", "set", "110", "--right", "overstep")
    phones = [await start_baresip(office.account(number), folder / number, network) for number in REGISTERED]
    for phone in phones:
        await phone.registered()
    anna, bo, eva, ida, jan, max_ = phones
    for caller, callee in ((anna, bo), (eva, ida)):
        await caller.dial(callee.account.number)
        await callee.rings()
        await callee.accept()
        await caller.talks()
    await eva.hold()
    await jan.dial(max_.account.number)
    await max_.rings()
    return phones


async def draw(target: Path) -> None:
    """Write ``console-80x24.svg`` into ``target``, and into ``manual/en`` and ``manual/zh`` below it the
    Switchboard, Call detail and a form (120×34)."""
    network = take_network()
    with tempfile.TemporaryDirectory(prefix="frontdesk-") as scratch:
        folder = Path(scratch)
        with open_office(folder, network) as office:
            phones = await staff_office(office, folder, network)
            await asyncio.sleep(6)
            try:
                for name, keys in PICTURES:
                    for language in LANGUAGES:
                        await _draw_one(
                            office, folder, target / "manual" / language / f"{name}.svg", language, keys
                        )
                await _draw_one(office, folder, target / "console-80x24.svg", "en", columns=80, rows=24)
            finally:
                for phone in phones:
                    await phone.close()


async def _draw_one(
    office: Office,
    folder: Path,
    file: Path,
    language: str,
    keys: tuple[str, ...] = (),
    *,
    columns: int = 120,
    rows: int = 34,
) -> None:
    own = folder / f"{file.stem}-{language}"
    terminal = open_console(office, own, columns=columns, rows=rows, true_colour=True, asks=LANGUAGES[language])
    for key in keys:
        (terminal.type if key.isspace() else terminal.press)(key)
        await asyncio.sleep(0.5 if len(key) > 1 else 0.05)
    await asyncio.sleep(1)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(to_svg(terminal, "ssh -p 8022 reception@frontdesk", columns))
    terminal.close()


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
