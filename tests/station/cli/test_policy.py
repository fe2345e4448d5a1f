from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.cli import evaluate, run
from station.cli.policy import app
from station.errors import PolicyError
from station.steps.speaker import MARK
from tests.station.policy import policies


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_show_says_what_the_folder_says(tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "cube", execution={"mode": "ensemble", "k": 0.01}, action_offset_ticks=-1)
    result = CliRunner().invoke(app, ["show", str(folder)])
    assert result.exit_code == 0
    for text in ("policy cube", "act, onnx (policy.onnx)", "cam_high", "8×6 rgb, stretch", "4 rows at 50 Hz: 0.08 s",
                 "observation's tick -1", "exp(−0.01·i), i = 0 the oldest"):  # fmt: skip
        assert text in result.output


def test_show_refuses_with_the_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(policies.write(tmp_path, rate_hz=0))])
    assert isinstance(result.exception, PolicyError)
    assert result.exception.exit_code == 1


@pytest.mark.slow
def test_bench_measures_a_policy_without_a_rig(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", str(policies.write(tmp_path / "cube")), "--inferences", "5"])
    assert result.exit_code == 0, result.exception
    for text in ("inference, p95", "pictures → observation", "chunk buffer, one step", "µs", "MB"):
        assert text in result.output


DEGREES = {name: {"mean": [-60.0] * 3, "std": [35.0] * 3} for name in ("state", "action")}


def test_show_holds_it_against_a_rigs_file_too() -> None:
    assert CliRunner().invoke(app, ["show", "handover", "--rig", "sim"]).exit_code == 0
    refused = CliRunner().invoke(app, ["show", "handover", "--rig", "gello"])
    assert isinstance(refused.exception, PolicyError)
    assert "rig gello" in str(refused.exception)


def test_show_says_that_no_arm_moves_in_degrees(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(policies.write(tmp_path / "cube", normalization=DEGREES))])
    assert "policy cube" in result.output
    assert isinstance(result.exception, PolicyError) and result.exception.exit_code == 1
    assert "these look like degrees" in str(result.exception)


def test_run_and_eval_refuse_it_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (run, evaluate):
        monkeypatch.setattr(module, "connect", lambda rig: pytest.fail("the rig was started"))
    monkeypatch.setenv(MARK, "1")  # an evaluation is a job: in this process
    folder = policies.write(tmp_path / "cube", normalization=DEGREES)
    station = typer.Typer()
    station.command("run")(run.run)
    station.command("eval")(evaluate.evaluate)
    for arguments in (["run", "--headless", "--seconds", "1"], ["eval", "--headless", "--out", str(tmp_path / "out")]):
        result = CliRunner().invoke(station, [*arguments, "--rig", "sim", "--policy", str(folder)])
        assert isinstance(result.exception, PolicyError), result.output
        assert "these look like degrees" in str(result.exception)
