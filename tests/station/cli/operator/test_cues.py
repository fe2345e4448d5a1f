import os
import stat
import time
from pathlib import Path

import pytest

from station.cli.operator.cues import SPEECH_NS, Speaker
from station.client.cue import Cue


def voice(folder: Path, script: str) -> None:
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_without_a_voice_it_beeps_and_quiet_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Speaker().say(Cue("saved", 2), 0) == "\a\a"
    assert Speaker(quiet=True).say(Cue("saved", 2), 0) == ""


def test_a_voice_speaks_in_a_session_of_its_own_without_our_pipes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = tmp_path / "heard"
    voice(tmp_path, f'echo "$1" $(ls /proc/self/fd | wc -w) > {heard}.new && mv {heard}.new {heard}')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    speaker = Speaker()
    assert speaker.say(Cue("saved 4"), 0) == ""
    deadline = time.monotonic() + 20
    while not heard.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    words, descriptors = heard.read_text().rsplit(maxsplit=1)
    assert words == "saved 4"
    assert int(descriptors) <= 4  # its own three, and the folder that ls reads
    speaker.close()
    os.close(read)
    os.close(write)


def test_a_voice_that_hangs_is_ended_and_a_newer_cue_ends_an_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice(tmp_path, "exec sleep 1000")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    speaker = Speaker()
    speaker.say(Cue("one"), 0)
    speaker.say(Cue("two"), 0)
    speaker.reap(SPEECH_NS // 2)
    assert speaker._child is not None
    speaker.reap(SPEECH_NS + 1)
    assert speaker._child is None  # and the fixture that looks for children finds none


def test_a_voice_that_cannot_be_started_becomes_a_beep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "espeak-ng").write_bytes(b"\x00no program")
    (tmp_path / "espeak-ng").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = Speaker()
    assert speaker.say(Cue("saved"), 0) == "\a"
