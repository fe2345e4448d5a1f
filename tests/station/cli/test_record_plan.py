"""`station record --plan`: the file becomes the task's plan before anything starts, or says what is wrong."""

from pathlib import Path

import msgspec
import pytest

from station.bus.requests import OpenSession
from station.cli.record import follow
from station.episodes.collection_file import NAME
from station.errors import UsageError
from station.rig.rig import find_rig, load_rig

RIG = load_rig(find_rig("bench"))


def test_it_is_kept_beside_the_episodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("each: 5\nscenes: [left, right]\n")
    follow(file, msgspec.structs.replace(RIG, data=tmp_path / "data"), OpenSession("pick"))
    assert (tmp_path / "data/pick" / NAME).read_text() == file.read_text()
    assert "10 episodes, 5 of each combination" in " ".join(capsys.readouterr().out.split())
    follow(file, RIG, OpenSession("pick", data=str(tmp_path / "other")))
    assert (tmp_path / "other/pick" / NAME).exists()


def test_a_scene_of_ones_own_and_a_plan_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave one of them out"):
        follow(tmp_path / "mine.yaml", RIG, OpenSession("pick", scene="left"))


def test_a_plan_that_is_none_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("each: -1\n")
    with pytest.raises(UsageError, match=r"mine\.yaml: .*>= 1"):
        follow(tmp_path / "mine.yaml", msgspec.structs.replace(RIG, data=tmp_path), OpenSession("pick"))
    assert not (tmp_path / "pick").exists()
