"""The console's screens: layout and keys; decisions live in the engine."""
