"""What is refused ends with status 1 and one line on standard error."""

from __future__ import annotations

import sys

from engine.core.errors import RefusedError
from engine.core.text import printable


def say_refusal(error: RefusedError) -> None:
    """One line on standard error: what is wrong and what to do."""
    print(f"frontdesk: {printable(str(error))}", file=sys.stderr)
