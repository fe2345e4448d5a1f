"""Which software this is: what every file it writes says, so that a recording can be traced to the code that made it.

From version control. In a checkout it is asked when it is needed (`git describe`), with a mark if files were changed since; a
wheel carries what was asked when it was built (hatch-vcs, the same scheme: pyproject.toml). Without a tag in reach, as in a
shallow clone, it is the first version's with the commit; without version control at all, what the package was installed as.
"""

import os
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_FIRST = "0.1.0"
"""The version that the first tag names: where no tag can be reached. Also `fallback_version` in pyproject.toml."""
_DESCRIBED = re.compile(r"v([0-9][0-9A-Za-z.]*)-([0-9]+)-g([0-9a-f]+)(-dirty)?")
_UNTAGGED = re.compile(r"([0-9a-f]+)(-dirty)?")
_PATIENCE_S = 5.0


@cache
def station_version() -> str:
    """`0.2.0`, or `0.2.0.post1.dev14+g1a2b3c4.dirty`: 14 commits after that tag, with changes that are in none.

    Asks git the first time (some 20 ms), so a loop with a deadline asks before it begins.
    """
    return of_checkout(_ROOT) or _of_package()


def same(one: str, other: str) -> bool:
    """Is it the same software? Changes that are in no commit do not count: somebody works on it."""
    return one.removesuffix(".dirty") == other.removesuffix(".dirty")


def installed_version() -> str:
    """What is installed now, which may be other software than what runs; "" in a checkout, where files change as somebody works on them."""
    return "" if (_ROOT / ".git").exists() else _of_package()


def of_checkout(root: Path) -> str:
    """The version of the checkout at `root`; "" if there is none, or git cannot tell."""
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return ""
    command = ["git", "-c", f"safe.directory={root}", "-c", "core.fsmonitor=false", "-C", str(root)]
    command += ["describe", "--tags", "--match", "v[0-9]*", "--long", "--dirty", "--always", "--abbrev=9"]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
            env=ours | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return ""
    return in_words(done.stdout.strip()) if done.returncode == 0 else ""


def in_words(described: str) -> str:
    """What `git describe --long --dirty --always` said, as a version by PEP 440; "" for anything else."""
    if found := _DESCRIBED.fullmatch(described):
        tag, distance, commit, dirty = found[1], int(found[2]), found[3], found[4]
        if not distance and not dirty:
            return tag
        return f"{tag}{f'.post1.dev{distance}' if distance else ''}+g{commit}{'.dirty' if dirty else ''}"
    if found := _UNTAGGED.fullmatch(described):
        return f"{_FIRST}.post1.dev0+g{found[1]}{'.dirty' if found[2] else ''}"
    return ""


def _of_package() -> str:
    try:
        return installed("teleop-station")
    except PackageNotFoundError:
        return f"{_FIRST}+unknown"
