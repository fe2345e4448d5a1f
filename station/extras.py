"""What of the station's packages is in which extra: a missing one is named by it, and nothing else is guessed.

From the distribution's own metadata, so that pyproject.toml is the one place where extras are listed.
"""

import re
from importlib.metadata import PackageNotFoundError, requires

DISTRIBUTION = "teleop-station"
INSTALL = "pip install"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;]*;.*\bextra == ['\"]([a-z]+)['\"]")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z0-9_.]+)'")
_DEVELOPERS = "dev"


def extras_of(module: str) -> tuple[str, ...]:
    """The extras that bring a module, the first one the smallest that does; () for what is in none."""
    top = module.partition(".")[0].lower()
    try:
        found = [match.groups() for line in requires(DISTRIBUTION) or () if (match := _REQUIREMENT.match(line))]
    except PackageNotFoundError:  # the source alone, not installed
        return ()
    return tuple(dict.fromkeys(extra for name, extra in found if _module(name) == top and extra != _DEVELOPERS))


def missing(module: str) -> str:
    """What to say where that module is not installed; "" for one that no extra brings."""
    extras = extras_of(module)
    if not extras:
        return ""
    of = " or ".join(f"`{extra}`" for extra in extras)
    top = module.partition(".")[0]
    return f"{top} is not installed; the extra {of} brings it. Next: {INSTALL} '{DISTRIBUTION}[{extras[0]}]'"


def told(line: str) -> str:
    """The last line of a process that ended, in these words if it is of a missing extra; else as it is."""
    found = _MISSING.search(line)
    return (missing(found[1]) if found else "") or line


def _module(distribution: str) -> str:
    return distribution.lower().replace("-", "_")
