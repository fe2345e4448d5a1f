"""What a command imports before it has anything to say. Time itself is measured by `python -m tests.station.cli.startup`."""

import json
import subprocess
import sys

import pytest

from station.cli.commands import COMMANDS
from station.cli.lazily import Station, app

HEAVY = {"cv2", "h5py", "numpy", "scipy", "mujoco", "matplotlib", "aiohttp", "torch", "onnxruntime", "pyudev"}
"""Each costs a person 50 to 300 ms."""
LISTING = (
    "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
)


def imported(*arguments: str) -> set[str]:
    """The top-level modules that are there when the command ends."""
    code = f"import atexit\natexit.register(lambda: exec({LISTING!r}))\nfrom station.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--version",), HEAVY | {"typer", "rich", "zmq", "yaml", "msgspec", "psutil"}),
        (("--help",), HEAVY | {"rich", "zmq", "yaml", "msgspec", "psutil"}),
        (("nosuchcommand",), HEAVY | {"zmq", "msgspec"}),
        (("rig", "ls"), HEAVY | {"zmq", "psutil"}),
        (("rig", "check", "aloha"), HEAVY | {"zmq", "psutil"}),
        (("settings", "show"), HEAVY | {"zmq", "psutil"}),
        (("rig", "show", "bench"), HEAVY | {"zmq", "psutil"}),
        (("status", "--rig", "bench"), HEAVY),
        (("check", "--help"), HEAVY),
        (("policy", "show", "--help"), (HEAVY | {"zmq", "psutil"}) - {"numpy"}),
        (("episodes", "ls", "--help"), HEAVY - {"h5py", "numpy"}),
        (("dataset", "formats"), HEAVY - {"h5py", "numpy"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_that_only_reads_waits_for_nothing_heavy(
    arguments: tuple[str, ...], unwanted: set[str], runtime: str
) -> None:
    assert imported(*arguments) & unwanted == set()


def test_the_help_names_every_command_and_every_command_is_there() -> None:
    group = Station(name="station")
    for name in group.list_commands(None):
        assert group.get_command(None, name).name == name
    assert set(group.list_commands(None)) >= set(COMMANDS)
    assert group.get_command(None, "nosuchcommand") is None


def test_the_help_fits_one_small_screen() -> None:
    from typer.testing import CliRunner

    lines = CliRunner().invoke(app, ["--help"]).stdout.splitlines()
    assert len(lines) <= 22 and max(map(len, lines[4:-2])) <= 80
    said = " ".join(lines).split()
    assert set(COMMANDS) <= set(said)
