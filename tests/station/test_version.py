"""Every file says which software wrote it, as version control knows it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from station import version


def git(folder: Path, *arguments: str) -> None:
    said = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | said
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "pyproject.toml").write_text("[project]\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def commit(folder: Path) -> None:
    more = folder / "more.txt"
    more.write_text(more.read_text() + "x" if more.exists() else "x")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "more")


def test_a_tag_the_commits_since_and_changes_that_are_in_none(checkout: Path) -> None:
    git(checkout, "tag", "v0.3.0")
    git(checkout, "tag", "nightly")
    assert version.of_checkout(checkout) == "0.3.0"
    (checkout / "pyproject.toml").write_text("[project]\n# changed\n")
    assert version.of_checkout(checkout).startswith("0.3.0+g")
    assert version.of_checkout(checkout).endswith(".dirty")
    commit(checkout)
    commit(checkout)
    said = version.of_checkout(checkout)
    assert said.startswith("0.3.0.post1.dev2+g")
    assert not said.endswith(".dirty")
    git(checkout, "tag", "v0.4.0")
    assert version.of_checkout(checkout) == "0.4.0"


def test_a_clone_without_tags_or_depth_still_names_its_commit(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "tag", "v0.3.0")
    commit(checkout)
    shallow = tmp_path / "shallow"
    git(checkout, "clone", "-q", "--depth", "1", "--no-tags", f"file://{checkout}", str(shallow))
    assert version.of_checkout(shallow).startswith("0.1.0.post1.dev0+g")
    assert version.of_checkout(shallow) != version.of_checkout(checkout)
    worktree = tmp_path / "worktree"
    git(checkout, "worktree", "add", "-q", str(worktree))
    assert version.of_checkout(worktree) == version.of_checkout(checkout)


def test_no_version_control_no_git_and_somebody_elses(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert version.of_checkout(plain) == ""
    (checkout / "pyproject.toml").unlink()  # an environment inside somebody's repository
    assert version.of_checkout(checkout) == ""
    (checkout / "pyproject.toml").touch()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))  # as in a hook
    assert version.of_checkout(checkout)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version.of_checkout(checkout) == ""
    shutil.rmtree(checkout / ".git")
    (checkout / ".git").write_text("gitdir: nowhere\n")
    assert version.of_checkout(checkout) == ""


@pytest.mark.parametrize("described", ["", "fatal", "v1.0", "v1.0-x-gabc", "release-3-gabc", "v1.0-3-gabc-dirty\nmore"])
def test_what_is_no_answer_is_no_version(described: str) -> None:
    assert version.in_words(described) == ""


def test_the_command_tells_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "station.cli", "--version"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, version.station_version())
