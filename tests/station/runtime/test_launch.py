"""A foreign module under one of our names: children do not see the current directory, and what is found first is looked at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.errors import ForeignModule
from station.runtime.launch import ROOMS, python, refuse_foreign


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory in which somebody keeps packages of the same names."""
    for name in ROOMS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('a foreign module ran')")
    return tmp_path


def test_ours_are_ours() -> None:
    refuse_foreign()


def test_what_is_found_first_is_named_with_its_place(foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ROOMS:
        only = foreign / "only" / name
        only.mkdir(parents=True)
        (only / "__init__.py").touch()
        monkeypatch.setattr(sys, "path", [str(only.parent), *sys.path])
        with pytest.raises(
            ForeignModule, match=rf"`{name}` that Python finds first is {only}/__init__.py, not.*Next: "
        ):
            refuse_foreign()
        (only / "__init__.py").unlink()
        only.rmdir()


def test_a_single_file_of_that_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drivers.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ForeignModule, match=r"`drivers` that Python finds first is .*drivers.py"):
        refuse_foreign()


@pytest.mark.slow
def test_a_child_does_not_look_in_the_current_directory(foreign: Path) -> None:
    code = python("station.runtime.node", "--help")
    done = subprocess.run(code, cwd=foreign, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_commands_in_such_a_directory(foreign: Path) -> None:
    station = Path(sys.executable).with_name("station")
    command = [str(station)] if station.exists() else python("station.cli")
    done = subprocess.run([*command, "--help"], cwd=foreign, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("drivers", "calibration"):
        path = foreign / f"with_{name}"
        path.mkdir()
        (foreign / name).rename(path / name)
        environment = {**os.environ, "PYTHONPATH": str(path)}
        done = subprocess.run([*command, "--help"], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(
            f"station: the module `{name}` that Python finds first is {path / name}/__init__.py"
        )
        assert done.stderr.count("\n") == 1
