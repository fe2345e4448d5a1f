"""Measuring cameras: the board, its sighting, views, lens and place."""
