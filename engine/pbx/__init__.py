"""The office itself: calls, legs, registrations, lamps and who may do what."""
