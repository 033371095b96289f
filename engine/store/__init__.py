"""The office's memory: tables, migrations, one writer thread, immutable configuration snapshots."""
