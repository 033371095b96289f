"""People: every extension as the lamp panel shows it, built only where something changed."""

from __future__ import annotations

from engine.core.views import PersonView
from engine.pbx.bindings import BindingTable
from engine.pbx.lamps import LampBoard
from engine.store.configuration import Configuration, Extension


class PeopleBoard:
    """Keeps each person's view until the lamp, the phones or the configuration change."""

    def __init__(self, lamps: LampBoard, bindings: BindingTable) -> None:
        self._lamps = lamps
        self._bindings = bindings
        self._configuration: Configuration | None = None
        self._numbers: tuple[str, ...] = ()
        self._views: dict[str, PersonView] = {}
        self.revision = 0
        """Rises when the configuration shown here is another."""

    def views(self, configuration: Configuration) -> tuple[PersonView, ...]:
        """All people in numeric order."""
        if configuration is not self._configuration:
            self._configuration = configuration
            self._numbers = tuple(sorted(configuration.extensions, key=lambda number: (len(number), number)))
            self._views = {}
            self.revision += 1
        return tuple(self._view(configuration.extensions[number]) for number in self._numbers)

    def _view(self, extension: Extension) -> PersonView:
        number = extension.number
        view = PersonView(
            number=number,
            name=extension.name,
            lamp=self._lamps.lamp(number),
            since=self._lamps.since(number),
            call=self._lamps.newest_call(number),
            devices=len(self._bindings.of(number)),
            multi_device=extension.multi_device,
            rights=frozenset(extension.rights),
        )
        if (known := self._views.get(number)) == view:
            return known
        self._views[number] = view
        return view
