"""Property tests run without a clock of their own and the same way each time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("frontdesk", deadline=None, derandomize=True)
settings.load_profile("frontdesk")
