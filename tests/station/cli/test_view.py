"""`station episodes view`: a choice is wanted, and what it leaves out is told."""

from pathlib import Path

import pytest

from station.cli.episodes import told
from station.episodes import naming
from station.episodes.finalise import finalise
from tests.station.cli.recorded import record, station
from tests.station.episodes.recording import Recording, header, jpeg, write


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Successes 0 and 3, failure 1, unlabelled 2, a success 4 that was cut off."""
    data = tmp_path / "data"
    paths = [record(data, number) for number in range(4)]
    part = naming.journal_path(data / "cube", 4)
    write(part, Recording(6, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=4))
    part.write_bytes(part.read_bytes()[:-900])
    paths.append(finalise(part))
    for number in (0, 3, 4):
        assert station("label", paths[number], "--success").exit_code == 0
    assert station("label", paths[1], "--failure").exit_code == 0
    return data


def taken(folder: Path, data: Path) -> set[int]:
    sources = list((data / "cube").glob("episode_*.hdf5"))
    links = list(folder.iterdir())
    return {naming.number_of(source) for source in sources if any(link.samefile(source) for link in links)}


@pytest.mark.slow
def test_without_a_choice_it_says_what_there_is_and_makes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told.console, "width", 60)
    got = station("view", tmp_path / "out", "--data", data)
    assert got.exit_code == 2
    assert not (tmp_path / "out").exists()
    lines = [line.split() for line in got.output.splitlines()]
    for words in (["2", "success", "cube", "0,", "3"], ["1", "success,", "recovered", "cube", "4"],
                  ["1", "failure", "cube", "1"], ["1", "unlabelled", "cube", "2"]):  # fmt: skip
        assert words in lines
    assert "--include" in got.stderr
    assert max(len(line.rstrip()) for line in got.stdout.splitlines()[1:]) <= 60  # the first names a folder


@pytest.mark.slow
def test_include_takes_what_it_names_and_lists_the_rest(data: Path, tmp_path: Path) -> None:
    got = station("view", tmp_path / "out", "--data", data, "--include", "success,unlabelled")
    assert got.exit_code == 0, got.output
    assert taken(tmp_path / "out", data) == {0, 2, 3}
    assert "left out, success, recovered: cube 4\n" in got.output
    assert "left out, failure: cube 1\n" in got.output
    assert "3 of 5 episodes" in got.output


@pytest.mark.slow
def test_success_is_every_success_and_all_is_all(data: Path, tmp_path: Path) -> None:
    record(data, 5, rows=9)
    assert station("label", data / "cube" / "episode_5.hdf5", "--success").exit_code == 0
    got = station("view", tmp_path / "out", "--data", data, "--success", "--length", 5)
    assert taken(tmp_path / "out", data) == {0, 3, 4}
    assert "left out, another length: cube 5\n" in got.output
    assert station("view", tmp_path / "every", "--data", data, "--include", "all").exit_code == 0
    assert taken(tmp_path / "every", data) == {0, 1, 2, 3, 4, 5}
    assert station("view", tmp_path / "none", "--data", data, "--include", "recovered").exit_code == 2
