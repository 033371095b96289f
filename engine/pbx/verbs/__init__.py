"""The verbs of services: what each asks of the office, a file for each kind (``table`` names them)."""
