"""Logs are kept over restarts, bounded, and every line has both clocks."""

import logging
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.files.logs import KEPT, LOG_BYTES, STDERR_BYTES, Stderr, log_to_file, logs_folder

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d \d+\.\d{6} (INFO|WARNING|ERROR) \w+: .+")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)


def test_every_line_has_both_clocks_and_is_one_line(runtime: str) -> None:
    log_to_file("r", "pilot")
    logging.getLogger("pilot").info("hold, hold: follower_left diverged")
    logging.getLogger("pilot").warning("a name with \x1b]0;owned\x07 and\nanother line")
    logging.getLogger("somebody_elses").info("chatter of a library")
    lines = (logs_folder("r") / "pilot.log").read_text().splitlines()
    assert len(lines) == 2
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert logs_folder("r") == Path(runtime) / "state" / "station" / "r" / "logs"
    assert stat.S_IMODE(logs_folder("r").stat().st_mode) == 0o700


def test_a_second_life_adds_to_the_log_of_the_first(runtime: str) -> None:
    script = (
        "import logging; from station.files.logs import log_to_file; log_to_file('r', 'pilot'); "
        "logging.getLogger('pilot').info('in hold')"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0
    lines = (logs_folder("r") / "pilot.log").read_text().splitlines()
    assert len(lines) == 2
    assert all(LINE.fullmatch(line) and "in hold" in line for line in lines)


def test_it_is_bounded_in_size_and_count(runtime: str) -> None:
    log_to_file("r", "pilot")
    log = logging.getLogger("pilot")
    for number in range(30):
        log.info("%d %s", number, "x" * (LOG_BYTES // 2))
    files = sorted(logs_folder("r").iterdir())
    assert len(files) == KEPT + 1
    assert sum(file.stat().st_size for file in files) <= (KEPT + 1) * LOG_BYTES
    assert "INFO pilot: 29 x" in (logs_folder("r") / "pilot.log").read_text()[-LOG_BYTES:]


def test_a_log_that_cannot_be_kept_stops_nobody(runtime: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    log_to_file("r", "pilot")
    logging.getLogger("pilot").warning("in hold")
    assert "in hold" in (Path(runtime) / "station" / "r" / "logs" / "pilot.log").read_text()


def test_stderr_is_kept_and_its_last_line_is_of_this_life(runtime: str) -> None:
    stderr = Stderr("r", "cam")
    for life in ("first", "second"):
        with stderr.open() as file:
            assert stderr.last_line() == "no message"
            file.write(f"of the {life}\n")
        assert stderr.last_line() == f"of the {life}"
    assert (logs_folder("r") / "cam.stderr").read_text() == "of the first\nof the second\n"


def test_a_library_that_writes_without_end_fills_no_disk(runtime: str) -> None:
    stderr = Stderr("r", "cam")
    with stderr.open() as file:
        file.write("x" * (2 * STDERR_BYTES))
        file.flush()
        assert not stderr.bound()
        file.write("y\n")
        file.flush()
        assert stderr.bound()
        file.write("goes on\n")
    assert (logs_folder("r") / "cam.stderr").read_bytes() == b"goes on\n"
    with stderr.open() as file:
        file.write("x" * (STDERR_BYTES + 1))
    with stderr.open() as file:
        file.write("a new life\n")
    assert {path.name for path in logs_folder("r").iterdir()} == {"cam.stderr", "cam.stderr.1"}
