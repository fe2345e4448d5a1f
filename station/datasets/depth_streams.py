"""What a camera's depth is called. Pure."""

SUFFIX = "_depth"
"""A camera's depth is the stream that has its name and this behind it, here as on the bus."""


def camera_of(stream: str) -> str:
    """Whose depth it is."""
    return stream.removesuffix(SUFFIX)
