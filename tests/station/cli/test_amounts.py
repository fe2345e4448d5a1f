"""Absurd amounts and names on any command line: bad usage, one sentence, before anything starts."""

import sys
from pathlib import Path

import pytest

from station import cli

RECORD = ("record", "--rig", "bench", "--task", "pick", "--headless")
RUN = ("run", "--rig", "bench", "--policy", "handover", "--headless", "--record")


def station(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["station", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("amount", ["inf", "nan", "-inf", "1e300", "-1", "9" * 400, "x"])
@pytest.mark.parametrize(
    "command",
    [
        (*RECORD, "--seconds"), (*RECORD, "--reset"), (*RECORD, "--episodes"), (*RUN, "--task", "t", "--seconds"),
        ("teleop", "--rig", "bench", "--seconds"), ("bench", "--rig", "bench", "--seconds"), ("demo", "--seconds"),
        ("demo", "--episodes"), ("check", "--rig", "bench", "--seconds"), ("check", "--rig", "bench", "--swing"),
        ("vr", "--rig", "bench", "--measure"), ("eval", "--rig", "bench", "--policy", "handover", "--trials"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_absurd_amount_is_bad_usage(
    command: tuple[str, ...], amount: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = station(monkeypatch, capsys, *command, amount)
    assert code == 2
    assert "Invalid value" in told and "Traceback" not in told


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("task", ["..", "../../etc", "a/b", "", "\x1b]0;x\x07", "x" * 300, "\udce9"])
@pytest.mark.parametrize("command", [RECORD[:3], (*RUN, "--seconds", "5")], ids=["record", "run"])
def test_a_task_that_is_no_folders_name(
    command: tuple[str, ...], task: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = station(monkeypatch, capsys, *command, "--task", task)
    assert code == 2
    assert len(told.strip().splitlines()) == 1 and "Next:" in told


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("flag", "text"), [("--operator", "x" * 300), ("--instruction", "x" * 30_000), ("--scene", "x" * 30_000)]
)
def test_a_text_too_long(
    flag: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = station(monkeypatch, capsys, *RECORD, flag, text)
    assert code == 2
    assert "shorten it" in told


@pytest.mark.usefixtures("runtime")
def test_what_the_kernel_refuses_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = station(monkeypatch, capsys, "episodes", "show", str(tmp_path / ("x" * 5000)))
    assert code in (1, 2)
    assert len(told.strip().splitlines()) == 1
