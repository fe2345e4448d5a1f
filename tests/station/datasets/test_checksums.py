"""A dataset that was changed after it was exported is found, whichever file and whichever bit."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from station.datasets.checksums import SUMS, batches, differences, sums_of
from station.datasets.export import verify
from station.datasets.parts import formats
from station.datasets.record import read_record
from tests.station.datasets.exported import HERE, export_to, quiet
from tests.station.datasets.recorded import SINGLE, Recorded, make


@pytest.fixture(scope="module", params=sorted(formats()))
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    for episode in range(2):
        make(folder / "data", Recorded(12, SINGLE, ("cam_high",), episode=episode))
    export_to(folder / "set", folder / "data", request.param)
    return folder / "set"


def changed(folder: Path) -> list[str]:
    sums: dict[str, str] = {}
    for batch in batches(folder):
        sums |= sums_of(batch)
    return list(differences(folder, sums))


@pytest.mark.slow
def test_coreutils_reads_them(dataset: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", SUMS], cwd=dataset, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    there = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
    assert there - {line.rpartition(": ")[0] for line in done.stdout.splitlines()} == {
        "README.md",
        SUMS,
        "station/run.json",
    }


@pytest.mark.slow
def test_any_bit_of_any_file_is_found(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "set")
    assert changed(tmp_path / "set") == []
    drawn = random.Random(0)
    summed = [name for batch in batches(tmp_path / "set") for name in batch.names]
    for name in summed:
        path = tmp_path / "set" / name
        whole = path.read_bytes()
        if not whole:
            continue
        at = drawn.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << drawn.randrange(8)]) + whole[at + 1 :])
        assert changed(tmp_path / "set") == [f"{name} is not what was exported, by its SHA-256"]
        path.write_bytes(whole)
    path = tmp_path / "set" / SUMS
    whole = path.read_bytes()
    path.write_bytes(whole.replace(whole[:1], b"g", 1))
    assert len(changed(tmp_path / "set")) == 1


def test_verify_says_what_is_away_left_over_and_no_file(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(12, SINGLE, ("cam_high",)))
    export_to(tmp_path / "set", tmp_path / "data", "plain")
    plan = read_record(tmp_path / "set").plan
    assert verify(tmp_path / "set", plan, HERE, quiet) == ()
    card = tmp_path / "set" / "README.md"
    card.write_text(card.read_text().replace("license: other", "license: cc-by-4.0"))
    assert verify(tmp_path / "set", plan, HERE, quiet) == ()  # people go on writing it
    (tmp_path / "set" / "station" / "selection.yaml").unlink()
    os.mkfifo(tmp_path / "set" / "data" / "pipe")
    (tmp_path / "set" / "meta.json").symlink_to("/etc/hostname")
    told = verify(tmp_path / "set", plan, HERE, quiet)
    assert "station/selection.yaml is missing" in told
    assert {"data/pipe was not exported", "meta.json was not exported"} <= set(told)
    (tmp_path / "set" / SUMS).unlink()
    assert f"{SUMS} cannot be read: No such file or directory" in verify(tmp_path / "set", plan, HERE, quiet)
