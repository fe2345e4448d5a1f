"""The wheel is whole: what the checkout has of code, rigs, policies, pages and meshes, and what people read, and it runs from anywhere."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READ = ("docs/guide", "docs/reference", "docs/decisions", "udev")
RIGS = (
    "aloha",
    "aloha2",
    "bench",
    "gello",
    "gello_fr3_bimanual",
    "gello_ur5e",
    "gello_ur5e_bimanual",
    "gello_xarm7",
    "sim",
    "sim_gello_fr3_bimanual",
    "sim_gello_ur5e",
    "sim_gello_ur5e_bimanual",
    "sim_gello_xarm7",
    "sim_vr",
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `pip install` builds it, with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """Of its files."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def tracked(*folders: str) -> Iterator[str]:
    """What version control knows below these."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", *folders], capture_output=True, text=True, check=True
    )
    yield from (name for name in done.stdout.splitlines() if (ROOT / name).is_file())


@pytest.mark.slow
@pytest.mark.parametrize("room", ["station", "drivers", "calibration"])
def test_every_file_of_the_rooms_is_in_it(names: frozenset[str], room: str) -> None:
    there = set(tracked(room))
    assert there and there <= names


def test_what_it_is_known_by_is_in_it(names: frozenset[str]) -> None:
    assert {f"station/rigs/{rig}.yaml" for rig in RIGS} <= names
    assert {"station/rigs/rig-file.schema.json", "station/policies/handover/policy.onnx"} <= names
    assert "drivers/vr/page/index.html" in names


@pytest.mark.parametrize("folder", READ)
def test_what_people_read_is_in_it(names: frozenset[str], folder: str) -> None:
    there = {f"station/docs/{name.removeprefix('docs/')}" for name in tracked(folder)}
    assert there and there <= names


def test_nothing_else_is_in_it(names: frozenset[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"station", "drivers", "calibration"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`station …` of the wheel, far from the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ours = {"PYTHONPATH": str(folder), "XDG_CONFIG_HOME": str(elsewhere), "XDG_RUNTIME_DIR": str(elsewhere)}

    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "station.cli", *words], cwd=elsewhere, env=os.environ | ours,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    return command


def test_it_says_the_version_it_was_built_of(run: Run, wheel: Path) -> None:
    done = run("--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == wheel.name.split("-")[1].replace("_", "+")


@pytest.mark.slow
def test_its_rigs_are_listed_and_right(run: Run) -> None:
    listed = json.loads(run("rig", "ls", "--json").stdout)
    assert [rig["name"] for rig in listed["rigs"]] == list(RIGS)
    for rig in ("bench", "aloha"):
        checked = run("rig", "check", rig)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_guide_is_where_help_says(run: Run) -> None:
    said = run("--help").stdout.splitlines()[-1]
    page = Path(said.partition(": ")[2])
    assert page.is_file() and "/station/docs/guide/" in str(page)


def test_the_unit_is_of_this_installation(run: Run) -> None:
    done = run("service", "install", "--user", "root", "--show")
    assert done.returncode == 0, done.stderr
    assert "ExecStart=" in done.stdout and "User=root" in done.stdout
