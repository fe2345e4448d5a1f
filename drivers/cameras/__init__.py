"""Cameras: V4L2, files and URLs, RealSense."""
