"""Frontdesk's engine: everything of the office that has no face."""

__version__ = "0.1.0"
