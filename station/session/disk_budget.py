"""How much recording the disk still holds. Pure, but for asking the file system how much is free."""

import shutil
from pathlib import Path
from typing import NamedTuple

HDF5_PER_JOURNAL = 2.0
"""The HDF5 repeats a frame in every row that shows it (50 rows for 30 frames: 1.7 times), and is built beside the journal."""
MARGIN_BYTES = 256 << 20
LEAST_S = 60.0
"""Less time than this at the present rate, and no episode starts."""


class DiskBudget(NamedTuple):
    """What the disk of the data folder holds."""

    free_bytes: int
    left_s: float
    """Recording that still fits, its HDF5 included; infinite while nothing flows."""
    partial_hdf5_bytes: int = 0
    """What the disk holds already of the HDF5 of the episode being recorded."""

    @property
    def refuses(self) -> str:
        """Why no episode may start; "" if one may."""
        if self.left_s >= LEAST_S:
            return ""
        return (
            f"the disk has room for {self.left_s:.0f} s of recording ({self.free_bytes / 1e9:.1f} GB free), "
            f"less than {LEAST_S:.0f} s. Next: free space, or name another folder with --data"
        )

    def ends(self, journal_bytes: int) -> str:
        """Why an episode must end now so that its HDF5 still fits; "" if it may go on."""
        if self.free_bytes + self.partial_hdf5_bytes > journal_bytes * HDF5_PER_JOURNAL + MARGIN_BYTES / 2:
            return ""
        return (
            f"the disk is nearly full ({self.free_bytes / 1e6:.0f} MB free); the episode was ended while it still fits"
        )


def disk_budget(folder: Path, bytes_per_s: float, partial_hdf5_bytes: int = 0) -> DiskBudget:
    """The budget at `folder` when `bytes_per_s` flow into the journal."""
    free = shutil.disk_usage(folder).free
    usable = max(0, free - MARGIN_BYTES)
    return DiskBudget(
        free, usable / (bytes_per_s * (1 + HDF5_PER_JOURNAL)) if bytes_per_s > 0 else float("inf"), partial_hdf5_bytes
    )
