"""Measuring arms: zeros, GELLO offsets, grippers."""
