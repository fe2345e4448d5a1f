"""Measuring the rig, and checking it before a session."""
