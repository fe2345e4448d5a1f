"""`station eval` without a rig: what it refuses, what its keys do, what is on the disk after each trial."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from station.cli.evaluate import _Book, evaluate
from station.cli.examiner import ATTEMPTS, HANDS, VERDICTS, Examiner
from station.cli.rollout import Ran, Rollout
from station.cli.trials import RecordedTrials
from station.errors import PolicyError, StationError, UsageError
from station.policy.evaluation import Trial, Turn
from station.rig.choice import rig_of
from station.steps.protocol import GO_ON
from station.steps.speaker import MARK, Speaker
from tests.station.policy import policies

TURN = Turn(1, 0, 7)


class Acted:
    """A rollout at a rig of people's: keys as they will be pressed (x: the time is over), and how each run ends."""

    def __init__(self, keys: str, *runs: Ran) -> None:
        self.keys = list(keys)
        self.runs = list(runs)
        self.said: list[tuple[bool | None, str]] = []
        self.offered: tuple[str, ...] = ()

    def key(self) -> str:
        return self.keys.pop(0)

    def meanwhile(self) -> None: ...

    def drop_keys(self) -> None:
        assert self.offered == HANDS, "before a trial begins nothing can be said of it"

    def offer(self, *answers: str, about: str = "") -> None:
        self.offered = answers

    def ask(self, words: str, answers: tuple[str, ...], meanwhile: Callable[[], None]) -> str:
        """Keys that answer nothing are passed over."""
        assert meanwhile == self.meanwhile
        while True:
            key = self.keys.pop(0)
            meant = [answer for answer in answers if (answer == GO_ON and key == "\n") or answer.startswith(key)]
            if meant:
                return meant[0]

    def run(self, seconds: float, over: Callable[[], bool], trial: int, condition: str) -> Ran:
        assert (trial, condition) == (1, "scene 7")
        assert self.offered == (*HANDS, *VERDICTS), "a verdict ends it at once"
        while self.keys and self.keys[0] != "x":
            if over():
                break
        else:
            del self.keys[:1]
        return self.runs.pop(0)

    def judged(self, success: bool, why: str) -> None:
        self.said.append((success, why))

    def counts_not(self, why: str) -> None:
        self.said.append((None, why))

    def path(self, number: int) -> Path:
        return Path(f"/out/trials/episode_{number}.hdf5")


def examined(keys: str, *runs: Ran) -> Trial | None:
    return examined_by(Acted(keys, *runs))


def examined_by(acted: Acted) -> Trial | None:
    rollout, recorded, operator = cast(Rollout, acted), cast(RecordedTrials, acted), cast(Speaker, acted)
    examiner = Examiner(rig_of("aloha"), rollout, recorded, None, 5.0, operator)
    return examiner.examine(TURN, "trial 1 of 1")


@pytest.mark.parametrize(
    ("keys", "runs", "expected"),
    [
        ("\n..s", [Ran(3.0)], Trial(TURN, True, 3.0)),
        ("x\n.f", [Ran(3.0)], Trial(TURN, False, 3.0, why="not done")),
        ("\n.xs", [Ran(5.0)], Trial(TURN, True, 5.0)),
        ("\n.xr\n..f", [Ran(5.0), Ran(2.0)], Trial(TURN, False, 2.0, why="not done")),
        ("\n..s", [Ran(3.0, helped=True)], Trial(TURN, False, 3.0, True, "somebody took over")),
        ("\n.xf", [Ran(3.0, held="cam_high is lost")], Trial(TURN, False, 3.0, False, "cam_high is lost")),
        ("q", [], None),
        ("\n.xq", [Ran(5.0)], None),
        ("\n.", [Ran(1.0, interrupted=True)], None),
        ("\n.x\n..s", [Ran(1.0, held="cam_high is lost", spoiled=True), Ran(4.0)], Trial(TURN, True, 4.0)),
    ],
)
def test_a_person_judges(keys: str, runs: list[Ran], expected: Trial | None) -> None:
    file = "trials/episode_4.hdf5"
    wanted = None if expected is None else expected._replace(episode=file)
    assert examined(keys, *(ran._replace(episode=4) for ran in runs)) == wanted


def test_what_is_judged_is_the_episodes_label_and_what_is_taken_back_has_none() -> None:
    acted = Acted("\n.xr\n..f", Ran(5.0, episode=0), Ran(2.0, episode=1))
    trial = examined_by(acted)
    assert trial is not None and trial.episode == "trials/episode_1.hdf5"
    assert acted.said == [(None, "the operator took it back"), (False, "not done")]
    acted = Acted("\n.", Ran(1.0, interrupted=True, episode=0))
    assert examined_by(acted) is None and acted.said == [(None, "it was broken off")]


def test_what_ended_before_its_first_row_left_no_episode_to_label_or_to_look_for() -> None:
    """Its results once named a file that could not be, and told to recover it."""
    acted = Acted("\n.xf", Ran(0.0, held="paused by the operator", episode=3))
    assert examined_by(acted) == Trial(TURN, False, 0.0, why="paused by the operator")
    assert acted.said == []


def test_a_trial_that_the_station_spoiled_is_no_failure_of_the_policy_and_is_made_again() -> None:
    spoiled = Ran(1.0, held="follower_left has been silent", spoiled=True, episode=0)
    acted = Acted("\n.x\n..f", spoiled, Ran(2.0, episode=1))
    trial = examined_by(acted)
    assert trial is not None and trial.episode == "trials/episode_1.hdf5"
    assert acted.said == [(None, "the station spoiled it: follower_left has been silent"), (False, "not done")]


def test_a_station_that_spoils_every_trial_ends_the_evaluation_with_its_cause() -> None:
    spoiled = Ran(1.0, held="cam_high silent for 1.2 s", spoiled=True, episode=0)
    acted = Acted("\n.x" * ATTEMPTS, *[spoiled] * ATTEMPTS)
    with pytest.raises(StationError, match=r"3 times in a row \(cam_high silent for 1.2 s\). Next: "):
        examined_by(acted)
    assert acted.said == [(None, "the station spoiled it: cam_high silent for 1.2 s")] * ATTEMPTS


def test_spoiled_trials_are_in_no_rate_and_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = book(tmp_path, blind=False)
    for turn in found.turns:
        found.add(Trial(turn, True, 1.0))
    found.close({0: 2})
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [(entry["policy"], entry["trials"], entry["spoilt"]) for entry in summary] == [
        ("act", 2, 2),
        ("diffusion", 2, 0),
    ]
    assert "2 more were spoiled by the station and do not count" in " ".join(capsys.readouterr().out.split())


def book(out: Path, blind: bool) -> _Book:
    return _Book(out, [Path("/x/act"), Path("/x/diffusion")], ["act 1", "diffusion 2"], seed=3, blind=blind, trials=2)


@pytest.mark.parametrize("blind", [False, True])
def test_every_trial_is_on_the_disk_and_names_come_last(tmp_path: Path, blind: bool) -> None:
    found = book(tmp_path / "eval", blind)
    assert set(found.names) == ({"A", "B"} if blind else {"act", "diffusion"})

    def rows() -> list[dict[str, Any]]:
        with (tmp_path / "eval" / "trials.csv").open() as file:
            return list(csv.DictReader(file))

    for made, turn in enumerate(found.turns):
        found.add(Trial(turn, turn.policy == 0, 2.0))
        assert len(rows()) == made + 1
        assert rows()[-1]["policy"] == found.names[turn.policy]
    found.close()
    assert {row["policy"] for row in rows() if row["success"] == "1"} == {"act"}
    summary = json.loads((tmp_path / "eval" / "summary.json").read_text())
    assert [(entry["policy"], entry["identity"], entry["successes"]) for entry in summary] == [
        ("act", "act 1", 2),
        ("diffusion", "diffusion 2", 0),
    ]
    assert summary[1]["median_s"] is None and summary[0]["median_s"] == 2.0


def test_a_broken_off_evaluation_says_so(tmp_path: Path) -> None:
    found = book(tmp_path, blind=True)
    found.add(Trial(found.turns[0], True, 1.0))
    with pytest.raises(StationError, match="1 of 4 trials were made"):
        found.close()
    assert json.loads((tmp_path / "summary.json").read_text())


def test_what_makes_no_sense_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, "1")
    folder = policies.write(tmp_path / "policy")

    def ask(**changes: Any) -> None:
        given: dict[str, Any] = {
            "rig": "aloha", "policy": [folder], "trials": 2, "seconds": 5.0, "out": tmp_path / "out", "seed": 0,
            "blind": False, "judge": "auto", "instruction": "", "pedal": None, "headless": False, "task": "trials", "operator": "",
        }  # fmt: skip
        evaluate(**(given | changes))

    with pytest.raises(UsageError, match="not simulated"):
        ask(judge="physics")
    with pytest.raises(UsageError, match="only physics can judge"):
        ask(headless=True)
    with pytest.raises(PolicyError, match="cannot be read"):
        ask(rig="sim", headless=True, policy=[tmp_path / "nowhere"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trials.csv").touch()
    with pytest.raises(UsageError, match="is there already"):
        ask(rig="sim", headless=True)
