"""Checkpoints of ACT and LeRobot into policy folders, compared with the original's outputs."""
