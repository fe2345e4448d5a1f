"""Hostile input at every border of the station: `python -m tests.system.fuzz …` (see `__main__`)."""
