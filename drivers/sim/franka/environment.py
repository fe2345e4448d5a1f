"""Where franky-sim is: an environment of its own, for it brings pinocchio and its own MuJoCo."""

import os
from pathlib import Path

from station.errors import StationError

VARIABLE = "STATION_FRANKY_SIM"
_BESIDE = Path(__file__).parents[3] / ".venv-franky-sim" / "bin" / "python"
SERVED = Path(__file__).with_name("served.py")


def python() -> Path:
    """The Python that has it. Raises StationError, with what to do, where there is none."""
    found = Path(os.environ.get(VARIABLE) or _BESIDE)
    if not found.is_file():
        raise StationError(
            f"franky-sim simulates a Franka arm, and {found} has it not. Next: make .venv-franky-sim/.installed in a checkout, or an "
            f"environment with `pip install franky-sim`, whose Python {VARIABLE} names"
        )
    return found


def command(address: str, *options: str) -> list[str]:
    """One robot at that address. Raises StationError."""
    return [str(python()), str(SERVED), address, *options]
