"""Hostile input at every border, a bounded share of `python -m tests.system.fuzz` (whole runs: docs/reliability.md)."""

import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.rig.rig import Rig, load_rig
from tests.system.fuzz import episodes, requests, samples
from tests.system.fuzz.__main__ import fuzzed_rig
from tests.system.fuzz.steps import Step, Steps
from tests.system.rig import Booted, booted

SAMPLES, REQUESTS = 300, 500
"""Each node; at least half must decode, taken together."""
FILES = 5


@pytest.fixture
def rig(runtime: str, tmp_path: Path) -> Rig:
    return load_rig(fuzzed_rig(tmp_path))


@pytest.mark.parametrize("node", samples.VICTIMS)
def test_samples(node: str, rig: Rig, tmp_path: Path) -> None:
    step = samples.fuzz(node, rig, 0, SAMPLES, tmp_path)
    assert step.wrong == ()
    assert step.understood > 0.4 * SAMPLES


def test_episode_files(tmp_path: Path) -> None:
    step = episodes.fuzz(tmp_path / "files", 0, FILES)
    assert step.wrong == ()
    assert step.tried == FILES
    assert step.understood > 0


def test_who_waits_for_a_processor_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episodes, "PATIENCE_S", 0.5)
    lines: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            assert episodes._outcome(lines, process.pid).wrong == ["starting: hung for 0.5 s"]
            kept_waiting_s = iter([0.0, 1.0, 2.0, 3.0])
            monkeypatch.setattr(episodes, "_kept_waiting_s", lambda pid: next(kept_waiting_s))
            threading.Timer(2.5, lines.put, ("at last",)).start()
            assert episodes._said(lines, process.pid) == "at last"
        finally:
            process.kill()


@pytest.fixture
def running(runtime: str, tmp_path: Path) -> Iterator[Booted]:
    with booted(fuzzed_rig(tmp_path), tmp_path / "data") as rig:
        yield rig


@pytest.mark.system
@pytest.mark.timeout(240)
def test_requests(running: Booted, tmp_path: Path) -> None:
    steps = [requests.fuzz(running, node, 0, REQUESTS, tmp_path / "fuzz") for node in requests.borders(running)]
    requests.quiet(running)
    assert [what for step in steps for what in step.wrong] == []
    assert sum(step.understood for step in steps) > 0.5 * REQUESTS * len(steps)


def test_a_run_that_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.jsonl"
    Steps(path).add(Step("samples", "pilot", 0, 10, 6, 0.01))
    with path.open("ab") as file:
        file.write(b'{"part":"samples","bor')  # killed while it wrote
    again = Steps(path)
    assert again.has("samples", "pilot", 0) and not again.has("samples", "pilot", 1)
    assert "| samples | pilot | 10 | 6 (60 %) | 0.01 s | 0 |" in again.table()
    assert again.wrong == []
    again.add(Step("samples", "pilot", 1, 10, 6, 0.01, ("hung",)))
    assert [step.seed for step in Steps(path).done] == [0, 1]
    assert Steps(path).wrong == ["samples, pilot, seed 1: hung"]
