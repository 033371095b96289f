"""The service files: the newest text of each that compiles, and what is wrong with one that does not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.pbx.service import ServiceError, ServiceFile, service_names
from engine.services.machine import Machine

log = logging.getLogger(__name__)


class Shelf:
    """Two folders of services. Its methods belong on threads of the pool; each change of a file is told once."""

    def __init__(self, own: Path, shipped: Path) -> None:
        self._own = own
        self._shipped = shipped
        self._good: dict[Path, bytes] = {}
        """The newest text of each file that compiled."""
        self._errors: dict[Path, tuple[bytes, str]] = {}
        """The newest text of each file that did not, and why."""

    def load(self, service: str, facts: Mapping[str, Any]) -> Machine:
        """A VM with the service; one whose newest text does not compile is had from the text before."""
        file = self._find(service)
        try:
            source = file.read_bytes()
        except OSError as error:
            raise ServiceError(f"{file} cannot be read: {error.strerror}") from None
        try:
            machine = Machine(file, source, facts)
        except ServiceError as error:
            self._note_error(file, source, error.reason)
            good = self._good.get(file)
            if good is None or good == source:
                raise
            return Machine(file, good, facts)
        self._good[file] = source
        self._errors.pop(file, None)
        return machine

    def look(self) -> tuple[ServiceFile, ...]:
        """Every service by name, each tried anew."""
        found = []
        for name in sorted(service_names(self._own, self._shipped)):
            file = self._find(name)
            error = None
            try:
                self.load(name, {})
            except ServiceError as problem:
                error = problem.reason
            if file in self._errors:
                error = self._errors[file][1]
            found.append(ServiceFile(name, str(file), file.parent == self._own, error))
        return tuple(found)

    def _note_error(self, file: Path, source: bytes, reason: str) -> None:
        if self._errors.get(file) != (source, reason):
            log.error("service file %s does not compile and is not used: %s", file, reason)
        self._errors[file] = source, reason

    def _find(self, service: str) -> Path:
        for folder in (self._own, self._shipped):
            file = folder / f"{service}.lua"
            if file.is_file():
                return file
        raise ServiceError(f"there is no service '{service}', neither in {self._own} nor in {self._shipped}")
