"""`make setup` where it cannot do all: an old Python is one sentence, an extra without a package is left out and told."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def program(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def test_an_old_python_is_one_sentence_and_nothing_is_begun(tmp_path: Path) -> None:
    old = program(tmp_path / "python3.10", ['[ "$1" = --version ] && echo Python 3.10.12', '[ "$1" != -c ]'])
    wanted = [f"VENV={tmp_path / 'venv'}", f"PYTHON={old}"]
    done = subprocess.run(["make", "-C", str(ROOT), "setup", *wanted], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert said == [
        f"The station needs Python 3.11 or newer, and `{old}` is Python 3.10.12. "
        "Next: sudo apt-get install python3.11-venv (Ubuntu 22.04 has it), then make setup PYTHON=python3.11"
    ]
    assert not (tmp_path / "venv").exists()


def install(tmp_path: Path, *bad: str) -> "tuple[subprocess.CompletedProcess[str], list[str]]":
    """What comes of it where what is asked for holds one of `bad`, and what pip was asked for, one after the other."""
    asked = tmp_path / "asked"
    refuses = [
        f'case "$last" in *{word}*) echo "WARNING: old" >&2; echo "ERROR: no {word} for cp399" >&2; exit 1;; esac'
        for word in bad
    ]
    pip = program(tmp_path / "pip", ['for last; do :; done; echo "$last" >>' + str(asked), *refuses])
    done = subprocess.run(
        [str(ROOT / "install-station.sh"), str(pip), "sim,vr,dev"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, asked.read_text().splitlines()


def test_all_together_where_it_goes(tmp_path: Path) -> None:
    done, asked = install(tmp_path)
    assert (done.returncode, done.stderr, asked) == (0, "", [".[sim,vr,dev]"])


def test_an_extra_without_a_package_is_left_out_and_told_with_pips_own_reason(tmp_path: Path) -> None:
    done, asked = install(tmp_path, "vr")
    assert done.returncode == 0
    assert asked == [".[sim,vr,dev]", ".", ".[sim]", ".[vr]", ".[dev]"]
    assert "The extra vr is left out: ERROR: no vr for cp399" in done.stderr
    assert "Installed without: vr. " in done.stderr and "Next: " in done.stderr
    assert "sim is left out" not in done.stderr and "dev is left out" not in done.stderr


@pytest.mark.parametrize("bad", [("[sim", "."), (".",)])
def test_a_station_that_does_not_install_at_all_is_a_failure(tmp_path: Path, bad: tuple[str, ...]) -> None:
    done, asked = install(tmp_path, *bad)
    assert done.returncode == 1 and asked[-1] == "."
