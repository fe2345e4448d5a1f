"""This computer's settings: defaults without a file, one sentence for a file that is wrong, a default rig that keeps the rest as it was."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from station.errors import SettingsWrong
from station.files import settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "station" / "settings.yaml"
    path.parent.mkdir()
    return path


def test_without_a_file_all_is_as_shipped(file: Path) -> None:
    assert settings.load() == settings.Settings()
    file.parent.rmdir()
    assert settings.load() == settings.Settings()
    file.parent.write_text("a file where the folder should be")
    assert settings.load() == settings.Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rigs: aloha", "unknown field `rigs`"), ("voice: loud", "Invalid enum value 'loud'"), ("console: {port: 80}", "1024 to 65535"),
        ("rig: [", "expected the node content"), ("data: \"\\0\"", "is no folder"), ("rig: a\nrig: b", "given twice"),
        ("5", "Expected `object`"),
    ],
)  # fmt: skip
def test_a_wrong_one_is_one_sentence_with_the_file_and_the_fix(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsWrong) as told:
        settings.load()
    said = str(told.value)
    assert said.startswith(f"{file}: ") and says in said and "Fix: " in said and "\n" not in said
    assert told.value.exit_code == 2


def test_a_default_rig_is_written_and_written_over(file: Path) -> None:
    settings.use_rig("aloha")
    assert settings.load().rig == "aloha"
    assert file.read_text().startswith("# This computer's settings")
    settings.use_rig("/home/ada/my rig: it's #1.yaml")
    assert settings.load().rig == "/home/ada/my rig: it's #1.yaml"
    assert file.read_text().count("rig:") == 2, "the key, and the one in the path"


@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rig=st.text(min_size=1, max_size=30),
    before=st.permutations(
        ["# by Ada\n", "voice: beeps   # it is night\n", "data: /data\n", "rig: sim\n", "console: {port: 9000}\n"]
    ),
    ends=st.booleans(),
)
def test_everything_else_stays_as_it_was(file: Path, rig: str, before: list[str], ends: bool) -> None:
    text = "".join(before) if ends else "".join(before).rstrip("\n")
    file.write_text(text)
    kept = settings.load()
    try:
        settings.use_rig(rig)
    except SettingsWrong:
        assert file.read_text() == text, "what could not be written left the file alone"
        return
    now = settings.load()
    assert (now.rig, now.voice, now.data, now.console) == (rig, kept.voice, kept.data, kept.console)
    assert [line for line in file.read_text().splitlines() if not line.startswith("rig:")] == [
        line for line in text.splitlines() if not line.startswith("rig:")
    ]


def test_a_rig_key_of_two_lines_is_left_to_its_owner(file: Path) -> None:
    file.write_text('rig: "al\\\n  oha"\n')
    assert settings.load().rig == "aloha"
    with pytest.raises(SettingsWrong):
        settings.use_rig("sim")
    assert settings.load().rig == "aloha"
