from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.policy import app
from station.errors import PolicyError
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


def test_bench_measures_a_policy_without_a_rig(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", str(policies.write(tmp_path / "cube")), "--inferences", "5"])
    assert result.exit_code == 0, result.exception
    for text in ("inference, p95", "pictures → observation", "chunk buffer, one step", "µs", "MB"):
        assert text in result.output
