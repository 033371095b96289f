"""The lists of the Switchboard, on which Enter means something else than opening."""

from __future__ import annotations

from tui.keys import MOVES, PEOPLE_LIST, WAITING_LIST, bindings
from tui.widgets.live_list import LiveList


class WaitingList(LiveList, inherit_bindings=False):
    """Who waits: Enter answers."""

    BINDINGS = bindings(WAITING_LIST, MOVES)


class PeopleList(LiveList, inherit_bindings=False):
    """People, park slots and what was typed: Enter connects."""

    BINDINGS = bindings(PEOPLE_LIST, MOVES)
