"""Simulated telephones: a user agent as the phone's side of every call, and people who use it; for the demo."""
