"""The runner node with real sockets, a made-up synchronizer, arm and camera, and policies of every temper."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from station.bus.messages import Health, Setpoint
from station.bus.requests import Done, LoadPolicy, Refused, Reply, Request, StartPolicy, StopPolicy
from station.clock import Grid
from station.episodes.survey import policy_run
from station.errors import BackendFault
from station.policy import backend as backends
from station.policy.backend import Observation
from station.rig.rig import Rig, load_rig
from tests.keyed import start_node
from tests.station.policy import policies
from tests.station.policy.surroundings import RIG, Bench, Runs


@pytest.fixture
def rig(runtime: str, tmp_path: Path) -> Rig:
    path = tmp_path / "rig.yaml"
    path.write_text(RIG)
    return load_rig(path)


@pytest.fixture
def bench(rig: Rig) -> Iterator[Bench]:
    bench = Bench(rig)
    yield bench
    bench.close()


@pytest.fixture
def runs(rig: Rig) -> Iterator[Runs]:
    runs = Runs(rig)
    yield runs
    runs.close()


def contiguous(setpoints: list[Setpoint]) -> None:
    """Every tick once, in order, each for its own time."""
    ticks = [setpoint.tick for setpoint in setpoints]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks)))
    assert [setpoint.at_ns for setpoint in setpoints] == [Grid(0, 50).time_ns(k) for k in ticks]
    assert {setpoint.source for setpoint in setpoints} == {"policy"}


@pytest.mark.slow
def test_an_onnx_policy_asks_for_every_tick(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "cube", chunk=500)
    bench.load(folder)
    assert not bench.setpoints
    assert isinstance(bench.ask(StartPolicy()), Done)
    bench.until(lambda: len(bench.setpoints) >= 50)
    contiguous(bench.setpoints)
    # state (1.5, 3, 5) normalised is (1, 1, 1); pixels are 51/255 = 0.2; row i of a chunk is i + 1 + 0.2
    assert not any(setpoint.hold for setpoint in bench.setpoints)
    for setpoint in bench.setpoints:
        row = (np.array(setpoint.goal) - [0.1, 0.2, 0.3]) / [2.0, 4.0, 8.0] - 0.2
        np.testing.assert_allclose(row, row[0], atol=1e-4)
        assert row[0] == pytest.approx(round(row[0]), abs=1e-4)
        assert 2 <= round(row[0]) <= 500, "row 0 is for the observation's own tick, which was asked before the answer"
    assert isinstance(bench.ask(StopPolicy()), Done)
    bench.ticks(2)
    asked = len(bench.setpoints)
    bench.ticks(10)
    assert len(bench.setpoints) == asked
    bench.until(lambda: bench.health is not None and "ready" in bench.health.notes[0])
    assert bench.health is not None
    assert {"delay_p95_ms", "inference_p95_ms", "tick_to_setpoint_p99_ms", "starved_ticks"} <= set(
        bench.health.readings
    )


@pytest.mark.slow
def test_replay_asks_an_episode_tick_for_tick(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    actions = np.random.default_rng(5).normal(size=(80, 3)).astype(np.float32)
    folder = policies.write(
        tmp_path / "replay", graph=False, backend="replay", weights="episode_0.hdf5", normalization=None,
        chunk=250, action_offset_ticks=100,
    )  # fmt: skip
    with h5py.File(folder / "episode_0.hdf5", "w") as file:
        file["action"] = actions
    bench.load(folder)
    assert isinstance(bench.ask(StartPolicy()), Done)
    bench.until(lambda: len(bench.setpoints) >= 100)
    contiguous(bench.setpoints)
    assert np.array_equal(np.array([setpoint.goal for setpoint in bench.setpoints[:80]], np.float32), actions)


@pytest.mark.slow
def test_a_shadow_is_heard_by_no_pilot(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    bench.until(lambda: bench.state is not None and bench.state.phase == "none")
    folder = policies.write(tmp_path / "cube", chunk=60)
    bench.load(folder)
    assert isinstance(bench.ask(StartPolicy(shadow=True)), Done)
    bench.until(lambda: len(bench.shadow_setpoints) >= 20)
    contiguous(bench.shadow_setpoints)
    assert not bench.setpoints
    bench.until(lambda: bench.state is not None and bench.state.shadow and bench.state.plan_ms > 0)
    assert bench.state is not None
    assert (bench.state.phase, bench.state.folder, bench.state.chunk_ms) == ("running", str(folder), 1200.0)
    assert bench.state.identity.startswith(f"act {folder}, policy.yaml sha256:")


@pytest.mark.slow
def test_what_cannot_be_is_refused_with_a_reason(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    def refused(request: Request) -> str:
        reply = bench.ask(request)
        assert isinstance(reply, Refused)
        return reply.why

    assert "no policy is loaded" in refused(StartPolicy())
    bench.until(lambda: "has not said" not in refused(LoadPolicy(str(tmp_path / "nowhere"))))
    assert "cannot be read" in refused(LoadPolicy(str(tmp_path / "nowhere")))
    other = policies.write(tmp_path / "other", cameras=["cam_wrist"])
    assert "sees cam_wrist, which rig policyrig does not have" in refused(LoadPolicy(str(other)))
    swapped = policies.write(tmp_path / "swapped", dim_names=["left_shoulder", "left_waist", "left_gripper"])
    assert "left_shoulder at training, left_waist on rig" in refused(LoadPolicy(str(swapped)))
    assert "no policy is loaded" in refused(StartPolicy())
    folder = policies.write(tmp_path / "cube", chunk=60)
    bench.load(folder)
    assert isinstance(bench.ask(StartPolicy()), Done)
    assert "it runs already" in refused(StartPolicy())
    assert "stop it first" in refused(LoadPolicy(str(folder)))


@pytest.mark.slow
def test_a_blind_policy_is_not_asked_and_the_arms_hold(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    bench.load(policies.write(tmp_path / "cube", chunk=10))
    bench.until(lambda: isinstance(bench.ask(StartPolicy()), Done))
    bench.camera_alive = False
    bench.until(bench.holding)
    bench.until(lambda: bench.health is not None and "cam_high is 5.0 s old" in bench.health.error)
    bench.camera_alive = True
    bench.until(bench.following)
    contiguous(bench.setpoints)


class Temper:
    """A third party's backend that does what it is told."""

    def __init__(self) -> None:
        self.mood = "good"
        self.factor = 1.0
        self.rows = 10
        self.let_go = threading.Event()

    def begin(self) -> None:
        pass

    def infer(self, observation: Observation) -> Any:
        mood = self.mood
        if mood == "raise":
            raise RuntimeError("out of memory")
        if mood == "slow":
            self.let_go.wait(0.3)
        if mood == "hang":
            self.let_go.wait()
        shape = (9 if mood == "shape" else self.rows, 3)
        return np.full(shape, np.nan if mood == "nan" else 0.25 * self.factor)

    def close(self) -> None:
        pass


class Point:
    """An installed entry point."""

    name = "temper"

    def __init__(self, temper: Temper) -> None:
        self._temper = temper

    def load(self) -> Callable[[Any], Temper]:
        return lambda _policy: self._temper


@pytest.fixture
def temper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Temper]:
    temper = Temper()
    monkeypatch.setattr(backends, "entry_points", lambda group: [Point(temper)])
    yield temper
    temper.let_go.set()


def begin(bench: Bench, folder: Path, chunk: int = 10, blind: bool = False) -> None:
    """Load, start, and have heard the first setpoint."""
    bench.load(policies.write(folder, graph=False, backend="temper", weights="none", chunk=chunk), blind)
    bench.until(lambda: isinstance(bench.ask(StartPolicy()), Done))
    bench.until(bench.following)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mood", "says"), [("nan", "found nan"), ("shape", "found (9, 3)"), ("raise", "RuntimeError: out of memory")]
)
def test_a_backend_that_answers_nonsense(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path, mood: str, says: str
) -> None:
    begin(bench, tmp_path / "policy")
    temper.mood = mood
    bench.until(bench.holding)
    bench.until(lambda: bench.health is not None and bench.health.state == "fault")
    assert bench.health is not None
    assert says in bench.health.error
    assert {setpoint.goal for setpoint in bench.setpoints} == {(0.25, 0.25, 0.25)}, "nothing but what was buffered"
    assert says in bench.setpoints[-1].why
    contiguous(bench.setpoints)
    temper.mood = "good"
    held = len(bench.setpoints)
    bench.until(lambda: isinstance(bench.ask(StartPolicy()), Done))
    bench.until(lambda: any(not setpoint.hold for setpoint in bench.setpoints[held:]))


@pytest.mark.slow
def test_a_backend_slower_than_its_chunk_holds_between_and_recovers(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path
) -> None:
    begin(bench, tmp_path / "policy")
    temper.mood = "slow"
    bench.until(bench.holding)
    temper.mood = "good"
    bench.until(bench.following)
    contiguous(bench.setpoints)


@pytest.mark.slow
def test_a_backend_that_hangs_takes_the_node_down_with_a_reason(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path
) -> None:
    begin(bench, tmp_path / "policy")
    temper.mood = "hang"
    bench.until(bench.holding)
    bench.until(lambda: not runs.is_alive())
    assert isinstance(runs.error, BackendFault)
    assert "policy: the backend temper has not answered for 2 s" in str(runs.error)


@pytest.mark.slow
def test_one_that_is_judged_blind_is_named_by_nothing_that_its_runner_says(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(bench, tmp_path / "secret", blind=True)
    bench.heard.clear()
    temper.mood = "shape"
    bench.until(bench.holding)
    bench.until(lambda: bench.health is not None and bench.health.state == "fault")
    assert bench.health is not None and "policy …" in bench.health.error and "found (9, 3)" in bench.health.error
    temper.mood = "good"
    bench.until(lambda: isinstance(bench.ask(StartPolicy()), Done))
    temper.mood = "hang"
    bench.until(lambda: not runs.is_alive())
    assert "policy …: the backend … has not answered" in str(runs.error)
    said = f"{bench.heard} {bench.state} {caplog.text} {runs.error}"
    assert "no chunk" in caplog.text and not any(name in said for name in ("secret", "temper", str(tmp_path))), said


def test_a_policy_that_fails_its_warm_up_is_not_loaded(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path
) -> None:
    temper.mood = "nan"
    folder = policies.write(tmp_path / "p", graph=False, backend="temper", weights="none", chunk=10)
    whys: list[str] = []

    def refused() -> bool:
        reply = bench.ask(LoadPolicy(str(folder)))
        assert isinstance(reply, Refused)
        whys.append(reply.why)
        return "found nan" in reply.why

    bench.until(refused)
    assert isinstance(bench.ask(StartPolicy()), Refused)


def spawn(rig: Rig) -> subprocess.Popen[bytes]:
    return start_node(rig, "station.policy.node", "policy", stderr=subprocess.PIPE)


def goes_on(bench: Bench) -> None:
    asked = len(bench.setpoints)
    bench.until(lambda: len(bench.setpoints) > asked + 5)


@pytest.mark.slow
def test_the_process_may_be_killed_and_comes_back(bench: Bench, rig: Rig, tmp_path: Path) -> None:
    folder = policies.write(tmp_path / "cube", chunk=60)
    for end, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        process = spawn(rig)
        bench.load(folder)
        assert isinstance(bench.ask(StartPolicy()), Done)
        goes_on(bench)
        process.send_signal(end)
        assert process.wait(30) == code, process.stderr and process.stderr.read()
        assert process.stderr is not None
        process.stderr.close()


@pytest.mark.slow
def test_no_policy_is_loaded_behind_a_backend_that_hangs(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path
) -> None:
    begin(bench, tmp_path / "policy")
    temper.mood = "hang"
    bench.until(bench.holding)
    assert isinstance(bench.ask(StopPolicy()), Done)
    number = bench.send(LoadPolicy(str(tmp_path / "policy")))
    replies: list[Reply | None] = []

    def answered_or_gone() -> bool:
        replies.append(bench.reply(number))
        return replies[-1] is not None or not runs.is_alive()

    bench.until(answered_or_gone)
    refused = replies[-1]
    assert refused is None or (isinstance(refused, Refused) and "has not answered yet" in refused.why)
    bench.until(lambda: not runs.is_alive())
    assert isinstance(runs.error, BackendFault)


@pytest.mark.parametrize(
    ("mood", "says", "rows"),
    # the answer that is no number has to come while there are rows left, however long this computer stalls
    [("slow", "", 10), ("hang", "the backend temper has not answered for", 10), ("nan", "found nan", 30)],
)
def test_a_hold_is_counted_before_it_is_asked_for(
    bench: Bench, runs: Runs, temper: Temper, tmp_path: Path, mood: str, says: str, rows: int
) -> None:
    """A hold ends an episode: whoever records has heard the counts, from before it and with it, when it comes."""
    temper.rows = rows
    begin(bench, tmp_path / "policy", chunk=rows)
    bench.heard.clear()
    temper.mood = mood
    bench.until(bench.holding)
    first = next(i for i, body in enumerate(bench.heard) if isinstance(body, Setpoint) and body.hold)
    readings = [body.readings for body in bench.heard[:first] if isinstance(body, Health)][-2:]
    run = policy_run(readings)
    assert run.starved_ticks == 1
    assert run.delay_p95_ms > 0 and (run.faults > 0) == (
        mood == "nan" and readings[0]["faults"] < readings[1]["faults"]
    )
    held = bench.heard[first]
    assert isinstance(held, Setpoint) and says in held.why and (mood != "hang" or "too late" not in held.why)
    temper.mood = "good"
    temper.let_go.set()


@pytest.mark.slow
def test_another_unit_is_refused_live_too(bench: Bench, runs: Runs, temper: Temper, tmp_path: Path) -> None:
    """A policy that says nothing of itself, and answers in degrees."""
    bench.limit = 6.0
    temper.factor = 57.3 * 4
    folder = policies.write(
        tmp_path / "policy", graph=False, backend="temper", weights="none", chunk=10, normalization=None
    )
    bench.load(folder)
    refused = bench.ask(StartPolicy())
    assert isinstance(refused, Refused)
    assert "asked for left_waist = 57.3, whose limits are -6 to 6 rad: these look like degrees" in refused.why
    assert not bench.setpoints


@pytest.mark.slow
def test_a_replayed_episode_is_held_against_the_rig(bench: Bench, runs: Runs, tmp_path: Path) -> None:
    folder = policies.write(
        tmp_path / "replay", graph=False, backend="replay", weights="episode_0.hdf5", normalization=None, chunk=50,
    )  # fmt: skip
    about: list[dict[str, Any]] = [
        {"units": ["deg"] * 3},
        {"dim_names": ["left_waist", "left_gripper", "left_shoulder"]},
        {"tick_hz": 10.0},
    ]
    for attributes, says in zip(
        about, ["was in deg", "left_gripper when it was recorded", "was recorded at 10 Hz"], strict=True
    ):
        with h5py.File(folder / "episode_0.hdf5", "w") as file:
            file["action"] = np.zeros((5, 3), np.float32)
            file.attrs.update(attributes)
        whys: list[str] = []

        def refused(whys: list[str] = whys) -> bool:
            reply = bench.ask(LoadPolicy(str(folder)))
            assert isinstance(reply, Refused)
            whys.append(reply.why)
            return "has not said" not in reply.why

        bench.until(refused)
        assert says in whys[-1]
