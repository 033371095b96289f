"""Subscriptions of phones to what happens (RFC 6665), without I/O."""
