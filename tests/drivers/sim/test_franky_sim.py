"""Where franky-sim is looked for, and what is said where it is not."""

from pathlib import Path

import pytest

from drivers.sim.franka import environment
from station.errors import StationError


def test_the_python_that_has_it_is_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.touch()
    monkeypatch.setenv(environment.VARIABLE, str(python))
    assert environment.command("127.1.2.3", "--skew-ppm", "80")[:3] == [
        str(python),
        str(environment.SERVED),
        "127.1.2.3",
    ]
    assert environment.SERVED.is_file()


def test_without_it_the_next_act_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(StationError, match=r"Next: make \.venv-franky-sim"):
        environment.python()
