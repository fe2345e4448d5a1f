"""`station dataset` as a user meets it: chosen, exported, verified, compared, and every refusal one sentence with its exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.dataset import app
from station.steps.protocol import Step
from tests.station.datasets.recorded import SINGLE, Recorded, make
from tests.station.steps.inside import Told, as_a_job


def run(*words: object) -> Told:
    """As at a terminal: what is done as a job is done as one."""
    if words[0] in ("export", "verify"):
        return as_a_job(app, *words)
    done = CliRunner().invoke(app, [str(word) for word in words])
    return Told(done.exit_code, done.output, ())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for k in range(3):
        make(folder, Recorded(12, SINGLE, ("cam_high",), episode=k, success=k != 1))
    return folder


@pytest.mark.slow
def test_a_day(data: Path, tmp_path: Path) -> None:
    chosen = run("select", tmp_path / "s.yaml", "--from", data, "--where", "success=true", "--where", "rows=5..20")
    assert chosen.exit_code == 0 and "2 of 3: 1 success is not true" in chosen.output
    again = run("select", tmp_path / "s.yaml", "--json")
    assert json.loads(again.output)["taken"] == ["cube/episode_0.hdf5", "cube/episode_2.hdf5"]
    for name, words in (("one", ()), ("same", ()), ("other", ("--rate", "25"))):
        done = run("export", "plain", tmp_path / name, "--selection", tmp_path / "s.yaml", "--workers", "0", *words)
        assert done.exit_code == 0, done.output
        assert "2 episodes of 2 recordings" in done.output and "cube/episode_1.hdf5: success is not true" in done.output
    assert run("verify", tmp_path / "one", "--workers", "0").exit_code == 0
    same = run("diff", tmp_path / "one", tmp_path / "same")
    assert (same.exit_code, same.output.strip()) == (0, "they are the same")
    differ = run("diff", tmp_path / "one", tmp_path / "other")
    assert differ.exit_code == 1
    assert "conversion.rate_hz: None and 25.0" in differ.output and "frames: 24 and 12" in differ.output
    (tmp_path / "one" / "videos" / "cam_high" / "episode_000001.mp4").unlink()
    broken = run("verify", tmp_path / "one", "--workers", "0")
    assert broken.exit_code == 1 and "episode_000001.mp4 is missing" in broken.output


def test_how_far_it_is_is_told_and_ends_at_the_whole(data: Path, tmp_path: Path) -> None:
    done = run("export", "plain", tmp_path / "set", "--from", data, "--workers", "0")
    steps = [line for line in done.lines if isinstance(line, Step)]
    progress = [step.progress for step in steps if step.progress is not None]
    assert progress == sorted(progress) and progress[-1] == 1.0 and len(set(progress)) > 3
    (said,) = [step for step in steps if step.values]
    assert said.values == {"episodes": 3.0, "frames": 36.0, "rate_hz": 50.0}
    told = json.loads(run("export", "plain", tmp_path / "told", "--from", data, "--workers", "0", "--json").output)
    assert told["frames"] == 36
    assert json.loads(run("verify", tmp_path / "told", "--workers", "0", "--json").output)["findings"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("select",), "name the selection's file"),
        (("select", "no.yaml"), "no.yaml: cannot be read"),
        (("export", "plain", "out"), "either --from or --selection"),
        (
            ("export", "hdf7", "out", "--from", "{data}"),
            "no format 'hdf7'; there are act, dp-zarr, lerobot-v2.1, lerobot-v3, plain,",
        ),
        (("export", "plain", "out", "--from", "{data}", "--video", "vhs"), "Invalid enum value 'vhs'"),
        (("export", "plain", "out", "--from", "{data}", "--size", "big"), "say it as 640x480"),
        (("export", "plain", "out", "--from", "{data}", "--crop", "9x9x9"), "say it as 480x480, 480x480+80+0 or cam_"),
        (
            ("export", "plain", "out", "--from", "{data}", "--crop", "cam_high=9x9+900+0"),
            "a crop of 9x9+900+0 does not",
        ),
        (("export", "plain", "out", "--from", "{data}", "--rate", "fast"), "frames a second"),
        (("export", "plain", "out", "--from", "{data}", "--where", "success"), "say it as success=true"),
        (("export", "plain", "out", "--from", "{data}", "--rate", "100"), "take a lower --rate"),
        (("export", "plain", "out", "--from", "{data}", "--camera", "cam_low"), "has no camera cam_low"),
    ],
)
def test_a_refusal_is_one_sentence(
    words: tuple[str, ...], said: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(
        *(word.replace("{data}", str(data)) for word in words), *(("--workers", "0") if words[0] == "export" else ())
    )
    assert done.exit_code == 2 and said in done.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    done = run("verify", tmp_path, "--workers", "0")
    assert done.exit_code == 1 and "not the record of a dataset" in done.output
