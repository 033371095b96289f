"""What can be watched: extensions, groups, trunks, park slots and the night switch, and how each of them stands.

The truth is read from the lamp board, the calls and the configuration at the moment of the question; nothing is
kept here that could differ from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from engine.core.views import Lamp, PartyRole, PartyState, TrunkState
from engine.pbx.lamps import lamp_key_of_trunk
from engine.pbx.rooms import SLOTS
from engine.sip.event.bodies import DialogShown, PresenceShown
from engine.store.configuration import Configuration, Right
from engine.store.outside import Night
from engine.store.services import Point

if TYPE_CHECKING:
    from engine.pbx.exchange import Exchange
    from engine.pbx.leg import Leg

NIGHT, SLOT, TRUNK = "night", "park", lamp_key_of_trunk("")
"""The night switch's name, and what the names of park slots (``park5``) and trunks (``trunk-NAME``) begin with."""
LISTS = ("lamps", "groups", "trunks", "slots", "panel")
"""All extensions, all groups, all trunks, all park slots; extensions, groups, trunks and the night switch at once.
The number of a group is the list of its members."""

_NOTES = {
    Lamp.IDLE: PresenceShown(True, "Available"),
    Lamp.RINGING: PresenceShown(True, "Ringing"),
    Lamp.BUSY: PresenceShown(True, "On the phone", "on-the-phone"),
    Lamp.HELD: PresenceShown(True, "On the phone", "on-the-phone"),
    Lamp.DND: PresenceShown(False, "Do not disturb", "busy"),
    Lamp.UNREGISTERED: PresenceShown(False, "Offline"),
    Lamp.UNREACHABLE: PresenceShown(False, "Unreachable"),
}
_NIGHTS = {
    Night.ON: PresenceShown(False, "Night"),
    Night.OFF: PresenceShown(True, "Day"),
    Night.AUTO: PresenceShown(True, "By schedule"),
}
_DEAD_LINES = (TrunkState.FAILED, TrunkState.UNREGISTERED, TrunkState.UNREACHABLE)
_RINGS = (PartyState.RINGING, PartyState.EARLY)

Dialogs = tuple[DialogShown, ...]


class Waiting(NamedTuple):
    """The messages in a mailbox."""

    new: int = 0
    old: int = 0


class Sights:
    """Finds what a watcher names, and says how it stands."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._groups_of: Mapping[str, tuple[str, ...]] = {}
        self._read: Configuration | None = None

    # -- names --------------------------------------------------------------------------------------------------

    def find(self, user: str) -> str | None:
        """The name of what the user part of a URI means: a number, ``park5``, ``trunk-NAME``, ``night``, or a code
        that parks, retrieves or turns the night switch; ``None`` when there is no such thing."""
        configuration = self._exchange.configuration
        if user in configuration.extensions or user in configuration.groups or user == NIGHT:
            return user
        if user.startswith(SLOT) and user[len(SLOT) :] in SLOTS:
            return user
        if user.startswith(TRUNK) and user[len(TRUNK) :] in configuration.trunks:
            return user
        return self._behind_code(user)

    def _behind_code(self, user: str) -> str | None:
        """What a phone's key dials is what its lamp shows: ``*70*5`` and ``*71*5`` are slot 5."""
        for trigger in self._exchange.configuration.triggers:
            if trigger.point is not Point.NUMBER:
                continue
            if trigger.service in ("park", "retrieve") and trigger.number.endswith("*"):
                slot = user.removeprefix(trigger.number)
                if slot != user and slot in SLOTS:
                    return SLOT + slot
            elif trigger.service == "night" and user == trigger.number:
                return NIGHT
        return None

    def members(self, user: str) -> tuple[str, ...] | None:
        """What a list is made of, in its order; ``None`` when there is no such list."""
        configuration = self._exchange.configuration
        group = configuration.groups.get(user)
        if group is not None:
            return tuple(number for number in group.members if number in configuration.extensions)
        people, groups = tuple(configuration.extensions), tuple(configuration.groups)
        trunks = tuple(TRUNK + name for name in configuration.trunks)
        slots = tuple(SLOT + slot for slot in SLOTS)
        known = dict(zip(LISTS, (people, groups, trunks, slots, (*people, *groups, *trunks, NIGHT)), strict=True))
        return known.get(user) if user not in configuration.extensions else None

    def groups_of(self, number: str) -> tuple[str, ...]:
        """The groups that an extension is in."""
        configuration = self._exchange.configuration
        if configuration is not self._read:
            self._read = configuration
            found: dict[str, tuple[str, ...]] = {}
            for group in configuration.groups.values():
                for member in dict.fromkeys(group.members):
                    found[member] = (*found.get(member, ()), group.number)
            self._groups_of = found
        return self._groups_of.get(number, ())

    def title_of(self, name: str) -> str:
        """What a panel may write beside the lamp."""
        extension = self._exchange.configuration.extensions.get(name)
        return (extension.name if extension is not None else None) or name.removeprefix(TRUNK)

    def sees_parties(self, watcher: str, name: str) -> bool:
        """Whether a watcher is told with whom others talk (parameter ``lamp_parties``); of itself it always is."""
        policy = self._exchange.configuration.params["lamp_parties"]
        if watcher == name or policy == "all":
            return True
        extension = self._exchange.configuration.extensions.get(watcher)
        return policy == "pickup" and extension is not None and Right.PICKUP in extension.rights

    # -- dialogs ------------------------------------------------------------------------------------------------

    def dialogs(self, name: str, *, sees_parties: bool) -> Dialogs:
        """What is told of ``name``, without hosts: each URI is a user part."""
        found = self._dialogs(name)
        if sees_parties:
            return found
        return tuple(shown._replace(remote_uri=None, remote_name=None) for shown in found)

    def _dialogs(self, name: str) -> Dialogs:
        configuration = self._exchange.configuration
        if name in configuration.extensions:
            return self._of_extension(name)
        if name in configuration.groups:
            return self._of_group(name)
        if name == NIGHT:
            return (_lit(name, name),) if configuration.night is Night.ON else ()
        return self._of_trunk(name) if name.startswith(TRUNK) else self._of_slot(name)

    def _of_extension(self, number: str) -> Dialogs:
        """An extension's calls as its own phones know them."""
        lamps = self._exchange.lamps
        shown = tuple([self._dialog(number, leg) for leg in lamps.legs_of(number) if leg.session is not None])
        if (
            not shown
            and self._exchange.configuration.params["dnd_lamp"] == "lit"
            and lamps.lamp(number) is Lamp.DND
        ):
            return (_lit("dnd", number),)
        return shown

    def _of_group(self, number: str) -> Dialogs:
        """The calls that ring its members, each once; without one a lit lamp while nobody of it is free."""
        exchange = self._exchange
        members = [each for each in exchange.configuration.groups[number].members if each in exchange.lamps]
        ringing: dict[str, DialogShown] = {}
        for member in members:
            for leg in exchange.lamps.legs_of(member):
                if leg.role is PartyRole.CALLEE and leg.state in _RINGS and leg.session is not None:
                    ringing.setdefault(leg.call_id, self._dialog(member, leg)._replace(local_uri=number))
        if ringing:
            return tuple(ringing.values())
        lamps = [exchange.lamps.lamp(member) for member in members]
        is_taken = Lamp.IDLE not in lamps and any(lamp in (Lamp.BUSY, Lamp.HELD) for lamp in lamps)
        return (_lit("busy", number),) if is_taken else ()

    def _of_trunk(self, name: str) -> Dialogs:
        """The calls on a line; its dialogs with the carrier have names that are nobody else's business."""
        legs = [leg for leg in self._exchange.lamps.legs_of(name) if leg.session is not None]
        return tuple(
            [self._dialog(name, leg)._replace(call_id="", local_tag=None, remote_tag=None) for leg in legs]
        )

    def _of_slot(self, name: str) -> Dialogs:
        call = self._exchange.rooms.parked.get(name.removeprefix(SLOT))
        if call is None or not call.legs:
            return ()
        leg = call.caller
        is_secret = call.identity.is_private and leg.role is PartyRole.CALLER
        return (
            _lit(call.id, name)._replace(
                remote_uri=None if is_secret else leg.number, remote_name=None if is_secret else leg.name
            ),
        )

    def _dialog(self, name: str, leg: Leg) -> DialogShown:
        session = leg.dialogue
        is_recipient = session.is_ours
        call = self._exchange.calls.get(leg.call_id)
        others = [other for other in call.legs if other is not leg] if call is not None else []
        remote, title = (others[0].number, others[0].name) if others else (call.dialled if call else None, None)
        if leg.trunk is not None:
            remote, title = leg.number, leg.name
            is_secret = call is not None and call.identity.is_private and not is_recipient
        else:
            is_secret = call is not None and call.identity.is_private and is_recipient
        is_answered = leg.state in (PartyState.TALKING, PartyState.HELD)
        return DialogShown(
            id=session.local_tag,
            state="confirmed" if is_answered else "early" if not is_recipient or session.peer_tag else "trying",
            is_recipient=is_recipient,
            call_id=session.call_id,
            local_tag=session.peer_tag,
            remote_tag=session.local_tag,
            remote_uri=None if is_secret else remote,
            remote_name=None if is_secret else title,
            local_uri=name,
            is_held=leg.state is PartyState.HELD,
        )

    # -- presence -----------------------------------------------------------------------------------------------

    def presence(self, name: str) -> PresenceShown:
        """Whether ``name`` can be reached, and a word on it."""
        exchange = self._exchange
        configuration = exchange.configuration
        if name in configuration.extensions:
            return _NOTES[exchange.lamps.lamp(name)]
        group = configuration.groups.get(name)
        if group is not None:
            lamps = [exchange.lamps.lamp(member) for member in group.members if member in exchange.lamps]
            free = lamps.count(Lamp.IDLE)
            return PresenceShown(free > 0, f"{free} of {len(lamps)} free")
        if name == NIGHT:
            return _NIGHTS[configuration.night]
        if name.startswith(TRUNK):
            line = exchange.trunks.line(name.removeprefix(TRUNK))
            state = line.state if line is not None else TrunkState.FAILED
            return PresenceShown(state not in _DEAD_LINES, state.value.capitalize())
        is_free = name.removeprefix(SLOT) not in exchange.rooms.parked
        return PresenceShown(is_free, "Free" if is_free else "Taken")


def _lit(name: str, watched: str) -> DialogShown:
    """A lamp that is lit without any phone's dialog."""
    return DialogShown(id=name, state="confirmed", is_recipient=True, local_uri=watched)
