"""Copies of episodes elsewhere: sent, read back, and noted; only then may the original go to the trash."""
