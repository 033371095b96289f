"""Backup and restore: the whole state folder as one archive that is checked before anything of it is believed."""
