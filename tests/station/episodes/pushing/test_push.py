"""Copies are sent, read back and noted; what was broken off goes on; what somebody else recorded is never replaced."""

import time
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cli.episodes.pushing import period_s, rate_of
from station.cli.tells import told_by
from station.clock import NS_PER_S
from station.episodes import naming
from station.episodes.catalogue import Episode, episodes
from station.episodes.labels import add_note, set_success
from station.episodes.pushing import retire
from station.episodes.pushing.destination import destination
from station.episodes.pushing.folder import Folder
from station.episodes.pushing.pace import BLOCK, Gate, Pace
from station.episodes.pushing.push import Outcome, plan, push
from station.episodes.pushing.record import pushed_of
from station.errors import UsageError
from tests.station.cli.recorded import record, station

LATER_NS = 2_000_000_000_000_000_000
"""After the instant at which made-up episodes were recorded."""


class Counted(Gate):
    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __call__(self, size: int) -> None:
        self.bytes += size


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(3):
        record(tmp_path / "data", number, rows=3)
    set_success(tmp_path / "data/cube/episode_0.hdf5", True)
    return tmp_path / "data"


@pytest.fixture
def there(tmp_path: Path) -> Folder:
    (tmp_path / "nas").mkdir()
    return Folder(tmp_path / "nas")


def all_of(data: Path) -> list[Episode]:
    return [episode for episode in episodes(data) if not episode.problem]


def go(data: Path, to: Folder, gate: Gate | None = None) -> list[Outcome]:
    gate = gate or Gate()
    return list(push(plan(all_of(data), to, gate), to, gate))


def same(data: Path, to: Folder, names: list[str]) -> bool:
    return all((data / "cube" / name).read_bytes() == (to.path / "cube" / name).read_bytes() for name in names)


def test_every_file_gets_there_once(data: Path, there: Folder) -> None:
    outcomes = go(data, there)
    assert [outcome.sent for outcome in outcomes] == [True] * 4
    assert sorted(path.name for path in (there.path / "cube").iterdir()) == [
        "episode_0.hdf5", "episode_0.labels.json", "episode_1.hdf5", "episode_2.hdf5",
    ]  # fmt: skip
    assert same(data, there, ["episode_0.hdf5", "episode_0.labels.json", "episode_1.hdf5", "episode_2.hdf5"])
    assert go(data, there) == []


def test_what_was_said_since_is_sent_again(data: Path, there: Folder) -> None:
    go(data, there)
    set_success(data / "cube/episode_1.hdf5", False)
    add_note(data / "cube/episode_2.hdf5", "slipped")
    assert [outcome.path.name for outcome in go(data, there)] == [
        "episode_1.hdf5", "episode_1.labels.json", "episode_2.labels.json",
    ]  # fmt: skip
    assert same(data, there, ["episode_1.hdf5", "episode_1.labels.json", "episode_2.labels.json"])


@pytest.mark.parametrize("wrong", [False, True])
def test_a_copy_that_was_broken_off_goes_on(data: Path, there: Folder, wrong: bool) -> None:
    episode = data / "cube/episode_1.hdf5"
    whole = episode.read_bytes()
    half = len(whole) // 2
    (there.path / "cube").mkdir()
    part = there.path / "cube/.episode_1.hdf5.part"
    part.write_bytes(bytes(half) if wrong else whole[:half])
    gate = Counted()
    wanted = [item for item in plan(all_of(data), there, gate) if item.path == episode]
    gate.bytes = 0
    assert [outcome.error for outcome in push(wanted, there, gate)] == [""]
    assert (there.path / "cube/episode_1.hdf5").read_bytes() == whole
    once = 3 * len(whole)  # hashed here, read behind the copying, read back under its name
    assert gate.bytes == once + (2 * len(whole) + len(whole) - half if wrong else len(whole) - half)
    assert not part.exists()


def test_another_recording_is_never_replaced(data: Path, there: Folder, tmp_path: Path) -> None:
    other = record(tmp_path / "other", 1, rows=5)
    (there.path / "cube").mkdir()
    with h5py.File(other, "r+") as file:
        file.attrs["start_wall_ns"] = np.int64(7)
    (there.path / "cube/episode_1.hdf5").write_bytes(other.read_bytes())
    outcomes = {outcome.path.name: outcome.error for outcome in go(data, there)}
    assert "has another recording as cube/episode_1.hdf5" in outcomes["episode_1.hdf5"]
    assert outcomes["episode_2.hdf5"] == ""
    assert (there.path / "cube/episode_1.hdf5").read_bytes() == other.read_bytes()


def test_what_does_not_read_back_is_no_copy(data: Path, there: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Folder, "read_back", lambda *_: "0" * 64)
    assert all("reads back as something else" in outcome.error for outcome in go(data, there))
    assert pushed_of(data / "cube") == {}


def test_a_mount_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mount it"):
        destination(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="no place that is known"):
        destination("ftp://host/x")


def test_only_what_was_read_back_goes_to_the_trash(data: Path, there: Folder) -> None:
    wanted = [item for item in plan(all_of(data), there, Gate()) if "episode_2" not in item.path.name]
    assert all(not outcome.error for outcome in push(wanted, there, Gate()))
    add_note(data / "cube/episode_1.hdf5", "later")
    found = retire.plan(all_of(data), 0, LATER_NS, lambda _: there, Gate())
    assert [each.why_not for each in found] == [
        "",
        "episode_1.labels.json was never pushed and read back",
        "episode_2.hdf5 was never pushed and read back",
    ]
    (there.path / "cube/episode_0.hdf5").unlink()
    [first, *_] = retire.plan(all_of(data), 0, LATER_NS, lambda _: there, Gate())
    assert first.why_not == f"{there.path} does not have cube/episode_0.hdf5 any more"


def test_a_touched_file_is_looked_into(data: Path, there: Folder) -> None:
    go(data, there)
    path = data / "cube/episode_1.hdf5"
    path.touch()
    assert plan(all_of(data), there, Gate()) == []
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert [item.path for item in plan(all_of(data), there, Gate())] in (
        [path],
        [],
    )  # unless it cannot be read any more


def as_told(command: str, done: Any) -> Any:
    """What a command told programs, read strictly."""
    return msgspec.json.decode(done.stdout, type=told_by(command), dec_hook=lambda kind, text: kind(text))


def test_the_commands(data: Path, there: Folder, monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    monkeypatch.setattr("station.cli.episodes.pushing._low_priority", lambda: None)  # the tests' own process
    monkeypatch.setattr(time, "time_ns", lambda: LATER_NS)
    nothing = station("push", there.path, data, "--dry-run")
    assert nothing.exit_code == 0 and "4 files of 3 episodes" in nothing.output
    assert not (there.path / "cube").exists()
    pushed = station("push", there.path, data, "--where", "success=true", "--rate", "200M")
    assert pushed.exit_code == 0 and "2 sent and read back, 0 were there, 0 failed" in pushed.output
    rest = as_told("episodes push", station("push", there.path, data, "--json"))
    assert (rest.episodes, rest.files, len(rest.sent), rest.were_there, rest.failed) == (3, 2, 2, (), {})
    assert station("retire", data, "--older-than", "1h").exit_code == 2
    shown = station("retire", data, "--older-than", "1h", "--pushed")
    assert "nothing was moved" in shown.output
    listed = as_told("episodes retire", station("retire", data, "--older-than", "1h", "--pushed", "--json"))
    assert (listed.done, [(each.moved, each.stays) for each in listed.episodes]) == (False, [(False, "")] * 3)
    done = station("retire", "--older-than", "0h", data, "--pushed", "--where", "success=true", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert any(each.moved for each in as_told("episodes retire", done).episodes)
    assert naming.deleted_path(data / "cube/episode_0.hdf5").exists()
    assert station("delete", data / "cube/episode_0.hdf5", "--undo").exit_code == 0


@given(
    st.floats(1e3, 1e9), st.lists(st.tuples(st.integers(1, BLOCK), st.integers(0, NS_PER_S)), min_size=1, max_size=50)
)
def test_the_rate_is_kept_over_any_time(rate: float, blocks: list[tuple[int, int]]) -> None:
    pace, now_ns, sent = Pace(rate, 0), 0, 0
    for size, pause_ns in blocks:
        now_ns += pause_ns
        now_ns += round(pace.wait_s(size, now_ns) * NS_PER_S)
        assert sent <= rate * (now_ns / NS_PER_S + 0.5) + 1  # what came before this block
        sent += size


def test_it_waits_while_a_rig_works(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["rig r has a sitting open (recording)", "rig r is saving", "", ""])
    heard: list[str] = []
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    gate = Gate(None, lambda: next(answers), heard.append)
    gate(1)
    gate(1)
    assert heard == ["rig r has a sitting open (recording)", ""]
    assert len(slept) == 2


@pytest.mark.parametrize(
    ("text", "rate"), [("20M", 2e7), ("500k", 5e5), ("1.5MB/s", 1.5e6), ("", None), ("100", 100.0)]
)
def test_rates(text: str, rate: float | None) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["fast", "0", "-5M", "20T"])
def test_no_rates(text: str) -> None:
    with pytest.raises(UsageError, match="--rate"):
        rate_of(text)


def test_periods() -> None:
    assert (period_s("12h"), period_s("30d"), period_s("2w")) == (43_200, 2_592_000, 1_209_600)
    with pytest.raises(UsageError, match="--older-than"):
        period_s("a month")
