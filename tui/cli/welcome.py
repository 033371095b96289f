"""What the first run made, in the language of this terminal; the file that keeps it is English."""

from __future__ import annotations

import re

from tui.cli.stopping import say
from tui.texts import N_

_SENTENCES = (
    N_("Frontdesk is set up. Type these values into your phones:"),
    N_("The console: "),
    N_("(UDP or TCP)"),
    N_("(its certificate is in tls/ of the state folder)"),
    N_("(only if the phone asks)"),
)
_LABELS = (
    N_("server"), N_("over TLS"), N_("realm"), N_("extension"), N_("user name"), N_("login"), N_("password"),
)  # fmt: skip
_LABEL = re.compile(rf"(?<=  )({'|'.join(_LABELS)})( +)")
"""Two blanks in front: no address or password of the file looks like that."""


def welcome(text: str) -> str:
    """The text of ``FirstRun`` with its words translated and its values as they are, still in columns."""
    for sentence in _SENTENCES:
        text = text.replace(sentence, say(sentence))
    return _LABEL.sub(_fitted, text)


def _fitted(found: re.Match[str]) -> str:
    from rich.cells import cell_len  # Rich takes a while to load, and a first run is rare

    word = say(found[1])
    return word + " " * max(1, len(found[0]) - cell_len(word))
