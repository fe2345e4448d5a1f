"""What commands tell programs: one JSON document, whatever is in it."""

from pathlib import Path

import msgspec
import pytest

from station.terminal.told import STDOUT, as_text, tell, tell_to


class Told(msgspec.Struct, frozen=True):
    path: Path
    text: str
    rate: float = 50.0


def test_paths_are_text_and_what_is_no_number_is_null() -> None:
    assert msgspec.json.decode(as_text(Told(Path("/a"), "é", float("nan")))) == {
        "path": "/a",
        "text": "é",
        "rate": None,
    }
    assert msgspec.json.decode(as_text([Told(Path("/a"), "b")])) == [{"path": "/a", "text": "b", "rate": 50.0}]


def test_a_name_that_is_no_text_is_told_all_the_same() -> None:
    told = msgspec.json.decode(as_text(Told(Path("/data/\udce7"), "b", float("nan"))))
    assert told == {"path": "/data/\\udce7", "text": "b", "rate": None}


def test_to_a_file_or_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = Told(Path("/a"), "b")
    tell_to(tmp_path / "told.json", body)
    assert capsys.readouterr().out == ""
    tell_to(STDOUT, body)
    assert capsys.readouterr().out == (tmp_path / "told.json").read_text() == as_text(body)
    tell(body)
    assert capsys.readouterr().out == as_text(body)
