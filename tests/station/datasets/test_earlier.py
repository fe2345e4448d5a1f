"""A second export into the same place: what stays is linked, the whole is that of one export, and nothing half has the name."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import station.datasets.export as exporting
from station.datasets import earlier, parts
from station.datasets.parts import formats
from station.datasets.record import read_record
from station.datasets.selection import Selection
from station.episodes.labels import set_success
from station.errors import EpisodeError, UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make
from tests.station.datasets.test_export import files

LINKING = {"lerobot-v2.1": 2, "plain": 2, "dp-zarr": 2}
"""Formats with a file of pictures an episode: how many of two stay when a third comes."""


def record(data: Path, *episodes: int) -> Selection:
    for k in episodes:
        make(data, Recorded(20 + 3 * k, SINGLE, ("cam_high",), episode=k))
    return Selection(folders=(str(data),))


def inodes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_ino for path in folder.rglob("*.mp4")}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(formats()))
def test_it_is_byte_for_byte_an_export_made_at_once(name: str, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1)
    assert export_to(out, data, name, selection).linked == 0
    before = inodes(out)
    record(data, 2)
    done = export_to(out, data, name, selection)
    assert (done.is_new, done.linked, len(done.plan.episodes)) == (True, LINKING.get(name, 0), 3)
    after = inodes(out)
    if name in LINKING:
        assert before.items() <= after.items()
    assert all(path.stat().st_nlink == 1 for path in out.rglob("*") if path.is_file())  # the other one is gone
    assert findings(out) == ()
    export_to(tmp_path / "once" / "set", data, name, selection)
    assert files(out) == files(tmp_path / "once" / "set")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_a_shard_that_is_full_stays_and_the_last_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.datasets.plan.SHARD_SECONDS", 1.2)
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1, 2)  # 43 rows in the first shard, 26 in the second: 60 fit
    export_to(out, data, selection=selection)
    before = inodes(out)
    record(data, 3)
    assert export_to(out, data, selection=selection).linked == 1
    after = inodes(out)
    assert [before[name] == after[name] for name in sorted(before)] == [True, False]
    export_to(tmp_path / "once" / "set", data, selection=selection)
    assert files(out) == files(tmp_path / "once" / "set")


@pytest.mark.slow
def test_with_nothing_new_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0)
    export_to(out, data, selection=selection)
    monkeypatch.setattr(parts, "_make", lambda *given: pytest.fail("a part was made"))
    monkeypatch.setattr(exporting, "survey", lambda *given: pytest.fail("an episode was read"))
    assert not export_to(out, data, selection=selection).is_new


@pytest.mark.slow
def test_what_is_not_more_of_the_same_is_refused_by_name(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1)
    export_to(out, data, selection=selection)
    before = files(out)
    with pytest.raises(UsageError, match=r"format lerobot-v3 instead of plain, video h264 instead of as-shot"):
        export_to(out, data, "plain", selection, video="as-shot")
    (data / "cube" / "episode_0.hdf5").rename(tmp_path / "episode_0.hdf5")
    with pytest.raises(UsageError, match=r"1 recordings that are not chosen now: cube/episode_0.hdf5"):
        export_to(out, data, selection=selection)
    assert files(out) == before


@pytest.mark.slow
def test_an_episode_whose_label_was_changed_is_still_the_same(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1)
    export_to(out, data, "plain", selection)
    set_success(data / "cube" / "episode_1.hdf5", False)
    done = export_to(out, data, "plain", selection)
    assert (done.is_new, done.linked) == (True, 1)  # success is in the file, and the file is another one
    assert [one.success for one in done.plan.episodes] == [True, False]
    assert findings(out) == ()


def _not_read_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(exporting, "read_back", lambda *given: ("episode 0: wrong",))


def _not_renamed(patch: pytest.MonkeyPatch) -> None:
    def killed(fresh: Path, out: Path, building: Path) -> None:
        out.rename(building / "before")
        raise EpisodeError("killed")

    patch.setattr(earlier, "put_in_place", killed)


def _not_linked(patch: pytest.MonkeyPatch) -> None:
    real = parts._make

    def make_one(*given: object) -> object:
        made = real(*given)  # type: ignore[arg-type]
        raise EpisodeError(f"killed behind {made.part.name}")

    patch.setattr(parts, "_make", make_one)


@pytest.mark.slow
@pytest.mark.parametrize("how", [_not_read_back, _not_renamed, _not_linked])
def test_broken_off_the_same_command_goes_on_from_a_whole_dataset(
    how: Callable[[pytest.MonkeyPatch], None], tmp_path: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1)
    export_to(out, data, "plain", selection)
    before = files(out)
    record(data, 2)
    with pytest.MonkeyPatch.context() as patch:
        how(patch)
        with pytest.raises(EpisodeError):
            export_to(out, data, "plain", selection)
    left = out if out.exists() else tmp_path / ".set.building" / "before"
    assert files(left) == before
    assert export_to(out, data, "plain", selection).linked == 2
    export_to(tmp_path / "once" / "set", data, "plain", selection)
    assert files(out) == files(tmp_path / "once" / "set")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["exchanged", "between"])
def test_killed_while_the_name_changes_hands_the_same_command_finishes_it(where: str, tmp_path: Path) -> None:
    """By SIGKILL, just after the exchange and, where a file system exchanges nothing, between the two renames."""
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0, 1)
    export_to(out, data, "plain", selection)
    before = files(out)
    record(data, 2)
    command = [sys.executable, "-m", "tests.station.datasets.dying_append", str(out), str(data), where]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    if where == "exchanged":
        assert findings(out) == () and len(read_record(out).plan.episodes) == 3
    else:
        assert not out.exists() and files(tmp_path / ".set.building" / "before") == before
    export_to(out, data, "plain", selection)
    assert not (tmp_path / ".set.building").exists()
    export_to(tmp_path / "once" / "set", data, "plain", selection)
    assert files(out) == files(tmp_path / "once" / "set")


@pytest.mark.slow
def test_while_the_name_changes_hands_it_is_always_a_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0)
    export_to(out, data, "plain", selection)
    record(data, 1)
    seen: list[int] = []
    rename = Path.rename

    def looked(path: Path, target: Path) -> Path:
        seen.append(len(read_record(out).plan.episodes))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", looked)
    put = earlier.put_in_place

    def noted(*given: Path) -> None:
        seen.clear()
        put(*given)
        seen.append(len(read_record(out).plan.episodes))

    monkeypatch.setattr(earlier, "put_in_place", noted)
    export_to(out, data, "plain", selection)
    assert seen == [2], "it was renamed in two steps"


@pytest.mark.slow
def test_nobody_writes_into_the_files_of_the_dataset_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linked, and then broken off; then the other dataset was moved away, so that everything is made anew."""
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0)
    export_to(out, data, "plain", selection)
    record(data, 1)
    _not_linked(monkeypatch)
    with pytest.raises(EpisodeError):
        export_to(out, data, "plain", selection)
    monkeypatch.undo()
    (linked,) = [path for path in tmp_path.glob(".set.building/*/out/videos/*/*") if path.stat().st_nlink == 2]
    linked.with_name("cut").write_bytes(b"")
    linked.with_name("cut").replace(linked)  # its size is not what is noted
    out.rename(tmp_path / "moved")
    before = files(tmp_path / "moved")
    export_to(out, data, "plain", selection)
    assert files(tmp_path / "moved") == before


@pytest.mark.slow
def test_where_there_are_no_hard_links_everything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = tmp_path / "data", tmp_path / "set"
    selection = record(data, 0)
    export_to(out, data, "plain", selection)
    record(data, 1)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert export_to(out, data, "plain", selection).linked == 0
    assert findings(out) == ()
