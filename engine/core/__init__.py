"""Floor 0: what every room shares and that depends on nothing: time, events, errors, views, settings."""
