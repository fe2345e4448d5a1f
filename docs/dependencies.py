"""What the station stands on: every package that pyproject.toml asks for, what it is for, and its licence. A page of the reference.

The reasons are written here; names and groups come from pyproject.toml, and a test holds the licences against those that the installed
packages state of themselves.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


class Package(NamedTuple):
    """One package: its licence in SPDX's words, and what it is here for."""

    licence: str
    purpose: str


PACKAGES = {
    "pyserial": Package("BSD-3-Clause", "serial ports"),
    "dynamixel-sdk": Package("Apache-2.0", "Dynamixel's protocol"),
    "fastcrc": Package("MIT", "the protocol's checksum, in C"),
    "opencv-python": Package(
        "Apache-2.0", "pictures; its wheel carries FFmpeg (LGPL-2.1-or-later) and Qt 5 (LGPL-3.0-only)"
    ),
    "h5py": Package("BSD-3-Clause", "episodes"),
    "simplejpeg": Package("MIT", "is a JPEG whole; its wheel carries libjpeg-turbo (BSD-3-Clause, IJG)"),
    "numpy": Package("BSD-3-Clause", "arrays"),
    "pyzmq": Package("BSD-3-Clause", "the bus; its wheel carries libzmq (MPL-2.0) and libsodium (ISC)"),
    "msgspec": Package("BSD-3-Clause", "typed structs on the wire"),
    "pyyaml": Package("MIT", "rig files"),
    "mcap": Package("MIT", "the journal's container"),
    "foxglove-schemas-protobuf": Package("MIT", "pictures in the journal, so that Foxglove shows them"),
    "protobuf": Package("BSD-3-Clause", "the same"),
    "typer": Package("MIT", "the command line"),
    "rich": Package("MIT", "the terminal"),
    "psutil": Package("BSD-3-Clause", "processes"),
    "pyudev": Package("LGPL-2.1-or-later", "what is plugged in"),
    "evdev-binary": Package("BSD-3-Clause", "foot pedals"),
    "evdev": Package("BSD-3-Clause", "the same where there is no wheel"),
    "setproctitle": Package("BSD-3-Clause", "names of processes"),
    "matplotlib": Package("PSF-2.0", "pictures of episodes"),
    "pyrealsense2": Package("Apache-2.0", "RealSense cameras"),
    "ur-rtde": Package("MIT", "commands to arms of Universal Robots; its wheel carries Boost (BSL-1.0)"),
    "xarm-python-sdk": Package("BSD-3-Clause", "commands to arms of UFACTORY"),
    "franky-control": Package("MIT", "commands to arms of Franka Robotics; its wheel carries libfranka (Apache-2.0)"),
    "mujoco": Package("Apache-2.0", "physics and kinematics"),
    "mink": Package("Apache-2.0", "inverse kinematics"),
    "aiohttp": Package("Apache-2.0", "web pages"),
    "cryptography": Package("Apache-2.0 OR BSD-3-Clause", "certificates"),
    "segno": Package("BSD-3-Clause", "QR codes"),
    "av": Package(
        "BSD-3-Clause", "video in datasets; its wheel carries FFmpeg with x264 (GPL-2.0-or-later), which encodes H.264"
    ),
    "pyarrow": Package("Apache-2.0", "Parquet in datasets"),
    "distributed": Package("BSD-3-Clause", "exports on a Dask cluster that is there already"),
    "huggingface_hub": Package("Apache-2.0", "datasets to the Hugging Face Hub"),
    "boto3": Package("Apache-2.0", "copies of episodes to a store that speaks S3"),
    "onnxruntime": Package("MIT", "policies"),
    "websockets": Package("BSD-3-Clause", "policies on another computer"),
    "torch": Package("BSD-3-Clause", "training, import of checkpoints"),
    "onnx": Package("Apache-2.0", "export, and tests"),
    "onnxscript": Package("MIT", "export"),
    "safetensors": Package("Apache-2.0", "import of checkpoints"),
    "selenium": Package("Apache-2.0", "a browser in tests"),
    "hatchling": Package("MIT", "builds the wheel"),
    "hatch-vcs": Package("MIT", "the wheel's version, from version control"),
    "jsonschema": Package("MIT", "holds what commands tell, and rig files, against their schemas"),
    "pytest": Package("MIT", "tests"),
    "pytest-timeout": Package("MIT", "tests"),
    "pytest-xdist": Package("MIT", "tests on two processors"),
    "hypothesis": Package("MPL-2.0", "properties in tests"),
    "ruff": Package("MIT", "lint and format"),
    "mypy": Package("MIT", "types"),
    "import-linter": Package("BSD-2-Clause", "imports go down only"),
    "pre-commit": Package("MIT", "the checks before a commit"),
    "types-PyYAML": Package("Apache-2.0", "types"),
    "types-psutil": Package("Apache-2.0", "types"),
    "types-pyserial": Package("Apache-2.0", "types"),
    "types-protobuf": Package("Apache-2.0", "types"),
}


def groups() -> dict[str, list[str]]:
    """Names of packages by extra, "" for those that everybody gets, as pyproject.toml has them."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    asked = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [re.split(r"[<>=;\s\[]", line, maxsplit=1)[0] for line in lines] for extra, lines in asked.items()}


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# What the station stands on\n"
    yield (
        "From `docs/dependencies.py`. None of the packages binds who distributes the station to publish it; what a wheel carries besides\n"
        "is named. `make test` needs Debian's Chromium (BSD-3-Clause) and the npm packages `iwer` (MIT) and `axe-core` (MPL-2.0) as well.\n"
        "The console's page carries `lit-html` (BSD-3-Clause) and `uPlot` (MIT), brought by `hatch_build.py` with their licences.\n"
    )
    for extra, names in groups().items():
        yield f"## {f'extra `{extra}`' if extra else 'always'}\n"
        yield "| package | licence | for |\n|---|---|---|"
        for name in names:
            yield f"| {name} | {PACKAGES[name].licence} | {PACKAGES[name].purpose} |"
        yield ""
