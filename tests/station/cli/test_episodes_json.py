"""`station episodes … --json`: one document that the structs in `answers` describe, read back by them, strictly."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import Result

from station.cli.episodes import told
from station.cli.episodes.answers import Listing, Verified
from station.cli.episodes.showing import Shown
from station.episodes import naming
from station.episodes.finalise import finalise
from tests.station.cli.recorded import record, station
from tests.station.episodes.recording import Recording, header, jpeg, write


def said(got: Result, kind: Any) -> Any:
    """The document, and that nothing in it is lost in reading it back."""
    answer = msgspec.json.decode(got.stdout, type=kind, dec_hook=lambda kind, value: kind(value))
    again = msgspec.json.encode(answer, enc_hook=str)
    assert msgspec.json.decode(again) == msgspec.json.decode(got.stdout)
    return answer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    record(tmp_path, 0, rows=12)
    part = naming.journal_path(tmp_path / "cube", 1)
    cameras = ("cam_high", "cam_low")
    write(part, Recording(5, [jpeg()], cameras=cameras), header(cameras=cameras, episode=1))
    finalise(part)
    (tmp_path / "cube" / "episode_7.hdf5").write_bytes(b"no")
    return tmp_path


def test_ls(data: Path) -> None:
    got = station("ls", data, "--json")
    assert got.exit_code == 1
    listing = said(got, Listing)
    assert [(each.number, each.rows) for each in listing.episodes] == [(0, 12), (1, 5), (7, 0)]
    assert listing.episodes[2].problem and not listing.episodes[0].problem
    [folder] = listing.folders
    assert folder.path == data / "cube" and len(folder.makes) == 2
    assert folder.differences == ("cube 1 (most / these): cameras: cam_high / cam_high, cam_low",)


def test_show_has_every_attribute_and_dataset(data: Path) -> None:
    got = station("show", data / "cube" / "episode_0.hdf5", "--json")
    assert got.exit_code == 0
    shown = said(got, Shown)
    assert shown.attributes["devices"]["follower_left"]["model"] == "vx300s"
    assert shown.attributes["instruction"] == "hand the cube over"
    assert shown.attributes["policy_delay_p95_ms"] is None
    shapes = {dataset.path: dataset.shape for dataset in shown.datasets}
    assert shapes["/action"] == (12, 14) and "/observations/images/cam_high" in shapes
    assert shown.cadence.rows == shown.episode.rows == 12


def test_verify(data: Path) -> None:
    got = station("verify", data, "--json")
    assert got.exit_code == 1
    assert [(one.path.name, one.whole, bool(one.findings)) for one in said(got, list[Verified])] == [
        ("episode_0.hdf5", True, False), ("episode_1.hdf5", True, False), ("episode_7.hdf5", False, True),
    ]  # fmt: skip
    plain = station("verify", data)
    assert "aloha · 50 Hz · 14 numbers" in plain.output
    assert "a mixture, which no trainer can take as one: cube 1 " in plain.output


@pytest.mark.parametrize("width", [60, 80])
def test_tables_fit_the_terminal(data: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Prose is one line and wraps; no table is cut or wider than the terminal."""
    monkeypatch.setattr(told.console, "width", width)
    tables = [station("ls", data).stdout, station("show", data / "cube" / "episode_0.hdf5").stdout]
    for output in tables:
        lines = output.splitlines()
        rules = [number for number, line in enumerate(lines) if line.startswith("───")]
        assert rules
        assert "…" not in output
        for rule in rules:
            assert len(lines[rule]) <= width
            assert len(lines[rule - 1].rstrip()) <= width
