"""What a sitting is, beyond the life of the node that keeps it."""

import msgspec

from station.bus.requests import OpenSession


class Sitting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kept on the disk while one is open."""

    opened: OpenSession
    episode: int
    saved: tuple[int, ...]
    building: tuple[int, ...]
    """Episodes whose HDF5 is being built."""
    discarded: int
    early: int
    seconds: float | None
    check_result: str = ""
    judged: dict[int, bool] = {}
    """What was said about episodes that are not saved yet."""
