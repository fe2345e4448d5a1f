"""What is not installed is named by its extra, from the distribution's own metadata."""

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from station import extras
from station.extras import extras_of, missing, told

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    ("module", "first"),
    [("mujoco", "sim"), ("mujoco.egl", "sim"), ("segno", "console"), ("pyarrow", "datasets"), ("onnxruntime", "policy"),
     ("torch", "torch"), ("pyrealsense2", "realsense")],
)  # fmt: skip
def test_a_module_has_its_extra(module: str, first: str) -> None:
    assert extras_of(module)[0] == first
    assert set(extras_of(module)) < set(PROJECT["optional-dependencies"])
    assert missing(module).endswith(f"Next: pip install 'teleop-station[{first}]'")


def test_what_only_developers_need_or_nobody_is_in_no_extra() -> None:
    for module in ("pytest", "numpy", "antigravity", ""):
        assert extras_of(module) == () and missing(module) == ""


def test_the_last_line_of_a_process_is_said_in_these_words() -> None:
    assert told("ModuleNotFoundError: No module named 'mujoco'").startswith(
        "mujoco is not installed; the extra `sim` or `vr` "
    )
    for other in ("ModuleNotFoundError: No module named 'nobody'", "ValueError: no", ""):
        assert told(other) == other


def test_a_source_that_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", requires)
    assert extras_of("mujoco") == ()


@pytest.mark.slow
def test_a_command_without_what_it_needs_says_so_in_one_sentence() -> None:
    hide = "import sys; sys.modules['pyarrow'] = None; sys.argv = ['station', 'dataset', 'formats']; import station.cli; station.cli.main()"
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "station: pyarrow is not installed; the extra `datasets` brings it. Next: pip install 'teleop-station[datasets]'"
    ]
