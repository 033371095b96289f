"""The error tree: who erred decides what happens next."""

from __future__ import annotations


class FrontdeskError(Exception):
    """Root of every error Frontdesk raises on purpose."""


class LocalError(FrontdeskError):
    """We erred (a misuse of our own code): log it, mend the code."""


class RemoteError(FrontdeskError):
    """The peer erred: answer it with ``status`` (4xx to 6xx) and ``reason``.

    ``warning`` is the code of a Warning field that says more (RFC 3261 section 20.43), 0 for none.
    """

    def __init__(self, status: int, reason: str, warning: int = 0) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.warning = warning


class RefusedError(FrontdeskError):
    """A person asked for what cannot be done: ``what`` is wrong and, as ``mend``, what to do about it."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}: {mend}" if mend else what)
        self.what = what
        self.mend = mend


class NotFoundError(RefusedError):
    """The named entity does not exist."""


class NotAllowedError(RefusedError):
    """The asker lacks the right."""


class StateFolderError(RefusedError):
    """The state folder cannot be used: locked by another engine, unreadable, full, or its database is damaged."""
