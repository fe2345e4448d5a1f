"""`station eval` on the simulated rig: physics judges a replay that works in its own scene and in no other."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import yaml

from station.bus.requests import OpenSession
from station.cli.headless import record_headless
from station.client import connect
from station.rig.choice import rig_of
from tests.system.operator_terminal import Terminal

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(300)]
SECONDS = 11.0


def replay_of(episode: Path, folder: Path) -> Path:
    folder.mkdir()
    settings = {
        "kind": "other", "backend": "replay", "weights": str(episode), "state_dim": 14, "action_dim": 14, "chunk": 100,
        "rate_hz": 50, "action_offset_ticks": 10, "execution": {"mode": "newest"},
    }  # fmt: skip
    (folder / "policy.yaml").write_text(yaml.safe_dump(settings))
    return folder


def runs(terminal: Terminal, number: int) -> None:
    """Wait until a trial's policy commands, and its runner has said how it does: rows are recorded then."""
    terminal.wait(
        lambda: (
            terminal.text.count("engaged: policy") == number
            and "policy: delay" in terminal.text.rpartition("engaged: policy")[2]
        ),
        f"trial {number}",
        120.0,
    )


def judged_by_keys(policy: Path, out: Path) -> None:
    """At a terminal: a verdict ends a trial at once, a hold is heard while it runs, and the next one waits for a key."""
    words = [
        "eval",
        "--rig",
        "sim",
        "--policy",
        policy,
        "--trials",
        "2",
        "--judge",
        "keys",
        "--seconds",
        "60",
        "--out",
        out,
    ]
    terminal = Terminal([str(word) for word in words])
    try:
        runs(terminal, 1)
        terminal.press("s")
        terminal.wait(lambda: "trial 1: success after" in terminal.text, "the verdict")
        runs(terminal, 2)
        terminal.press("h")
        terminal.wait(lambda: "r does not count" in terminal.text, "the question")
        terminal.press("f")
        assert terminal.ended() == 0, terminal.text
    finally:
        terminal.close()
    with (out / "trials.csv").open() as file:
        assert [row["success"] for row in csv.DictReader(file)] == ["1", "0"], terminal.text


def test_trials_are_judged_by_physics_and_counted(runtime: str, tmp_path: Path) -> None:
    rig = rig_of("sim")
    with connect(rig) as station:
        assert record_headless(station, OpenSession("handover", str(tmp_path), "scripted"), 1, SECONDS) == 0
        right = replay_of(tmp_path / "handover" / "episode_0.hdf5", tmp_path / "right")
        motionless = Path(shutil.copy(tmp_path / "handover" / "episode_0.hdf5", tmp_path / "motionless.hdf5"))
        with h5py.File(motionless, "r+") as file:
            file["action"][:] = file["action"][0]
        still = replay_of(motionless, tmp_path / "still")
        command = [
            Path(sys.executable).with_name("station"),
            "eval",
            "--rig",
            "sim",
            "--policy",
            right,
            "--policy",
            still,
        ]
        options = ["--trials", "1", "--seconds", "13", "--out", tmp_path / "eval", "--headless", "--blind"]
        done = subprocess.run(list(map(str, command + options)), capture_output=True, text=True, check=False)
        judged_by_keys(still, tmp_path / "keys")
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "eval" / "trials.csv").open() as file:
        rows = {row["policy"]: row for row in csv.DictReader(file)}
    assert rows["right"]["success"] == "1", (rows, done.stdout)
    assert 3.0 < float(rows["right"]["seconds"]) < 13.0, "it ended when it was done"
    assert rows["still"]["success"] == "0"
    assert {row["scene"] for row in rows.values()} == {"0"}
    before_the_end = done.stdout.partition(" = ")[0]
    assert "right" not in before_the_end and "still" not in before_the_end, "blind"
    summary = {entry["policy"]: entry for entry in json.loads((tmp_path / "eval" / "summary.json").read_text())}
    assert summary["right"]["rate"] == 1.0 and summary["right"]["wilson"] == pytest.approx([0.2065, 1.0], abs=1e-3)
    assert "1 trials leave" in done.stdout and "episode_0.hdf5 sha256:" in summary["right"]["identity"]
