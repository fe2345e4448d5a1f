import hashlib
import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import CalibrationBroken
from station.files import calibration_files as files

MADE = files.Made("2026-01-02T03:04:05+00:00", "ada", "rest stops", 120, {"repeatability_rad": 0.001})
ARM = files.ArmCalibration(MADE, ("waist", "elbow"), (0.01, -0.02), (1, -1), (0.0, 0.5), rest_rad=(0.0, 1.55))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def whole(serial: str = "FT1234") -> files.Calibration:
    reference = files.CheckReference(MADE, "aGVsbG8=", 120.0, 0.1, {"focus": 5.0})
    return files.Calibration(serial, "leader_left", "wx250s", arm=ARM, reference=reference)


def test_what_is_saved_is_loaded_and_counts_its_files() -> None:
    path = files.save(whole())
    assert path == files.path_of("FT1234")
    first = files.load("FT1234")
    assert first is not None and first == msgspec.structs.replace(whole(), revision=1)
    files.save(first)
    assert files.load("FT1234") == msgspec.structs.replace(whole(), revision=2)
    assert files.load_all() == [files.load("FT1234")]
    assert [old.name for old in (path.parent / "replaced").iterdir()] == ["FT1234.1.json"]
    assert files.load("unknown") is None


@given(st.text(min_size=1, max_size=20).filter(lambda s: max(s) < "\ud800" or min(s) > "\udfff"))
def test_any_serial_has_a_file_of_its_own(serial: str) -> None:
    path = files.path_of(serial)
    assert path.parent == files.folder()
    assert path.name not in (".json", "..json")
    assert files.path_of(serial + "x") != path
    assert files.path_of("a/b") != files.path_of("a_b")


def test_a_number_edited_by_hand_is_refused() -> None:
    path = files.save(whole())
    path.write_text(path.read_text().replace("-0.02", "-0.03"))
    with pytest.raises(CalibrationBroken, match=r"FT1234\.json.*checksum.*calibrate this device again"):
        files.load("FT1234")


DEEP = b'{"schema":1,"sha256":"","calibration":' + b"[" * 5000 + b"]" * 5000 + b"}"


def forged(body: bytes) -> bytes:
    """A file whose checksum is right all the same."""
    compact = msgspec.json.format(body, indent=-1)
    return b'{"schema":1,"sha256":"' + hashlib.sha256(compact).hexdigest().encode() + b'","calibration":' + body + b"}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-0.02", "1e300"), ("-0.02", "1" * 5000), ("-0.02", "null"), ('"samples":120', '"samples":1' + "0" * 30),
        ("2026-01-02T", "2026-13-02T"), ("2026-01-02T03:04:05+00:00", "today"), ("aGVsbG8=", "no base64"),
    ],
)  # fmt: skip
def test_absurd_content_with_a_right_checksum_is_one_sentence(old: str, new: str) -> None:
    body = msgspec.json.encode(whole()).decode()
    assert old in body
    path = files.save(whole())
    path.write_bytes(forged(body.replace(old, new).encode()))
    with pytest.raises(CalibrationBroken, match=r"FT1234\.json.*Next: move the file away") as told:
        files.load("FT1234")
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 700


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"schema":' + b"9" * 5000 + b"}", b"\xff\xfe", b"", DEEP])
def test_what_is_no_file_of_ours_is_one_sentence(raw: bytes) -> None:
    """How deep a text may go before it is none, is the interpreter's: 3.13 reads the last."""
    files.save(whole()).write_bytes(raw)
    with pytest.raises(CalibrationBroken, match=r"torn or no calibration file|checksum"):
        files.load_all()


def test_a_folder_in_a_files_place_is_one_sentence() -> None:
    files.save(whole()).unlink()
    files.path_of("FT1234").mkdir()
    with pytest.raises(CalibrationBroken, match="cannot be read"):
        files.load_all()


def test_other_white_space_is_not_another_number() -> None:
    path = files.save(whole())
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7, ensure_ascii=False))
    assert files.load("FT1234") is not None


@pytest.mark.parametrize("keep", [0, 1, 40, 400])
def test_a_torn_file_is_refused(keep: int) -> None:
    path = files.save(whole())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CalibrationBroken, match="torn"):
        files.load("FT1234")


def test_another_devices_file_and_another_schema_are_refused() -> None:
    path = files.save(whole())
    path.rename(files.path_of("FT9"))
    with pytest.raises(CalibrationBroken, match="belongs to serial FT1234"):
        files.load("FT9")
    newer = json.loads(files.path_of("FT9").read_text()) | {"schema": 9}
    files.path_of("FT9").write_text(json.dumps(newer))
    with pytest.raises(CalibrationBroken, match="schema 9"):
        files.load("FT9")


def test_a_broken_file_can_be_replaced_and_is_kept() -> None:
    path = files.save(whole())
    path.write_text("{")
    files.save(whole())
    assert files.load("FT1234") is not None
    assert len(list((path.parent / "replaced").iterdir())) == 1


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        files.Latency(MADE, float("nan"), 1.0)
    with pytest.raises(ValueError, match="one length"):
        files.ArmCalibration(MADE, ("waist",), (0.0, 1.0), (1,), (0.0,))
    with pytest.raises(ValueError, match="open and closed"):
        files.GripperRange(0.3, 0.31, 0.02, 0.01)
    with pytest.raises(ValueError, match="signs"):
        files.ArmCalibration(MADE, ("waist",), (0.0,), (2,), (0.0,))


def test_an_episode_gets_everything_but_the_picture() -> None:
    all_of_it = whole()
    kept = files.for_episode(all_of_it)
    assert kept.reference is not None and kept.reference.picture_jpeg == ""
    assert kept.arm == ARM
    assert all_of_it.reference is not None and all_of_it.reference.picture() == b"hello"


def test_a_write_that_fails_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files.save(whole())

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        files.save(msgspec.structs.replace(whole(), model="other"))
    kept = files.load("FT1234")
    assert kept is not None and kept.model == "wx250s"
    assert not list(Path(files.folder()).glob("*.new"))
