"""The Groups screen: extensions that ring together, one after the other, or answer for each other."""

from __future__ import annotations

from tui.group_kind import Groups
from tui.screens.kind_screen import KindScreen
from tui.texts import N_


class GroupsScreen(KindScreen):
    """Extensions under one number."""

    KINDS = (Groups(),)
    help_text = N_("ring: all at once. hunt: one after the other. pickup: they answer each other's calls.")
