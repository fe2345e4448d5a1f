"""How the station starts Python of its own, and is sure that it is its own.

A folder `drivers/` in the directory one stands in, or on PYTHONPATH, must not be taken for ours: children start with `-P`
(the current directory is no place for modules), and what is found first under our names is looked at.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

from station.errors import ForeignModule

ROOMS = ("station", "drivers", "calibration")
"""The top-level packages of this repository."""
HUNG = "hung: "
"""How a line begins in which a supervisor tells, on stderr, whoever stops it which node did not end as it should, a sentence each."""
_ROOT = Path(__file__).resolve().parents[2]


def python(module: str, *arguments: object) -> list[str]:
    """The command line that runs one of our modules."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def refuse_foreign() -> None:
    """Is everything under our names ours? Raises ForeignModule with the one that is not, and its place."""
    for name in ROOMS:
        spec = PathFinder.find_spec(name)
        if spec is None:
            continue  # a wheel may come without it; who needs it says so
        places = [Path(place).resolve() for place in spec.submodule_search_locations or ()]
        if places != [_ROOT / name]:
            found = spec.origin or ", ".join(map(str, places))
            raise ForeignModule(
                f"the module `{name}` that Python finds first is {found}, not the station's own {_ROOT / name}. "
                "Next: rename it, or take its folder off PYTHONPATH (or stand in another directory), and try again"
            )
