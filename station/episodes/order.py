"""What a session tells the process that builds an episode's HDF5 while it is recorded."""

import msgspec


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recording is over: finish."""

    part: str
    """The journal by its present name: a discarded one has another."""
    ended: str
    """Why the journal has no end of its own, where that is known."""
    acknowledged: int = 0
    """Rows that were announced as safe: all of them must be in the file."""
