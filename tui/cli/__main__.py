"""``python -m tui.cli``: how the command line starts an engine of its own version."""

from __future__ import annotations

from tui.cli import main

if __name__ == "__main__":
    main()
