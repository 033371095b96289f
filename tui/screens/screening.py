"""The Screening screen: which calls and which addresses are let in."""

from __future__ import annotations

from tui.dialling import SCREENING
from tui.screens.kind_screen import KindScreen
from tui.texts import N_


class ScreeningScreen(KindScreen):
    """Who is let in."""

    KINDS = SCREENING
    help_text = N_("The key l shows the next list: callers that are blocked or let in, and addresses.")
