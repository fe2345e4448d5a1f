"""Measures this rig on this computer: latency, jitter, losses, CPU and memory per node, the disk, and names what limits it."""
