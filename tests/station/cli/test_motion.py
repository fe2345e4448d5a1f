"""`station replay` against a synchronizer's and a pilot's real sockets."""

import threading
from collections.abc import Callable
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest
import typer

from station.bus.messages import Act, Description, Dimension, PilotState, Setpoint, StreamDescription, Tick
from station.bus.requests import Disengage, Done, Engage, Park, PilotRequest, Recover, Refused, Reply
from station.bus.sockets import Publisher, RequestServer, Subscriber
from station.cli import motion
from station.cli.motion import Replayer, park, recover, replay
from station.client import Station
from station.clock import monotonic_ns
from station.errors import NodeAbsent, PolicyError, RequestRefused, StationError, UsageError
from station.policy.recorded import read_recorded
from station.rig.file import Base, Safety
from station.rig.rig import Rig, Side, find_rig, load_rig

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
ACTIONS = np.arange(10, dtype=np.float32).reshape(5, 2)
ROWS = [tuple(map(float, row)) for row in ACTIONS]
ALIGNED_AFTER = 3
"""The followers are at the first pose once the replay has asked for it so often."""
TICK_NS = 20_000_000


class Arms:
    """A synchronizer that goes on to the next tick once it is asked in this one, and a pilot that aligns, then follows."""

    def __init__(self, refusal: str = "", skipped: int = 0, holds_at: int = -1) -> None:
        """`refusal`: why it is not aligned. `skipped`: ticks that go by after row 1. `holds_at`: the row that ends in a hold."""
        self._refusal, self._skipped, self._holds_at = refusal, skipped, holds_at
        self._synchronizer = Publisher(RIG.name, "synchronizer", 1, monotonic_ns)
        self._pilot = Publisher(RIG.name, "pilot", 2, monotonic_ns)
        self._request_server: RequestServer[PilotRequest] = RequestServer(RIG.name, "pilot", PilotRequest)
        self._heard = Subscriber(RIG.name, [("setpoint", "replay")])
        self._aligned: Callable[[Reply], None] | None = None
        self._tick = 100
        self.setpoints: list[Setpoint] = []
        self.let_go = False
        self.recovered = ""
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        told = -1
        while not self._finish.is_set():
            if told != self._tick or not self.setpoints:  # again until somebody listens
                told = self._tick
                self._synchronizer.publish("tick", Tick(told, told * TICK_NS, (), (), (), ()))
            sample = self._heard.receive(50)
            if sample is not None and isinstance(sample.body, Setpoint) and sample.body.at_ns == told * TICK_NS:
                self._asked(sample.body)
            while (got := self._request_server.receive()) is not None:
                self._requested(*got[:2])

    def _asked(self, setpoint: Setpoint) -> None:
        self.setpoints.append(setpoint)
        if self._aligned is not None and len(self.setpoints) >= ALIGNED_AFTER:
            self._aligned(Refused(self._refusal) if self._refusal else Done())
            self._aligned = None
        if setpoint.tick >= 0 and setpoint.goal == ROWS[1]:
            self._tick += self._skipped
        if setpoint.tick >= 0 and self._holds_at >= 0 and setpoint.goal == ROWS[self._holds_at]:
            self._pilot.publish("pilot", PilotState("hold", "replay", "follower_left has been silent for 104 ms", ()))
        else:
            self._tick += 1

    def _requested(self, request: PilotRequest, answer: Callable[[Reply], None]) -> None:
        if isinstance(request, Recover):
            self.recovered = request.arm
            answer(Refused("no recover while arms are commanded") if self._refusal else Done())
            return
        if isinstance(request, Engage):
            assert request.source == "replay"
            self._aligned = answer
            return
        self.let_go = isinstance(request, Disengage)
        answer(Done())

    def played(self) -> list[Setpoint]:
        """What was asked for once the followers were aligned."""
        return [setpoint for setpoint in self.setpoints if setpoint.tick >= 0]

    def __enter__(self) -> "Arms":
        return self

    def __exit__(self, *_: object) -> None:
        self._finish.set()
        self._thread.join()
        for socket in (self._synchronizer, self._pilot, self._request_server, self._heard):
            socket.close()


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_every_row_is_asked_for_in_its_own_tick() -> None:
    with Arms() as arms:
        assert Replayer(Station(RIG), ACTIONS).run() == 0
    played = arms.played()
    assert [setpoint.goal for setpoint in played] == ROWS
    assert [setpoint.tick - played[0].tick for setpoint in played] == [0, 1, 2, 3, 4]
    before = arms.setpoints[: -len(ROWS)]
    assert len(before) >= ALIGNED_AFTER
    assert {setpoint.goal for setpoint in before} == {ROWS[0]}, "aligned with the first pose"
    assert arms.let_go


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_a_tick_that_went_by_is_counted_and_never_made_up_for() -> None:
    with Arms(skipped=2) as arms:
        assert Replayer(Station(RIG), ACTIONS).run() == 2
    assert [setpoint.goal for setpoint in arms.played()] == [ROWS[0], ROWS[1], ROWS[4]]


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_a_hold_ends_it_and_says_why() -> None:
    with Arms(holds_at=2) as arms, pytest.raises(RequestRefused, match=r"silent for 104 ms\. Next: clear the cause"):
        Replayer(Station(RIG), ACTIONS).run()
    assert [setpoint.goal for setpoint in arms.played()] == ROWS[:3]


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_nothing_is_played_to_followers_that_are_not_there() -> None:
    with (
        Arms(refusal="stopped: follower_left holds") as arms,
        pytest.raises(RequestRefused, match="follower_left holds"),
    ):
        Replayer(Station(RIG), ACTIONS).run()
    assert arms.played() == []


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_without_a_synchronizer_it_says_so() -> None:
    with pytest.raises(StationError, match="no ticks on the bus"):
        Replayer(Station(RIG), ACTIONS).run()


@pytest.mark.parametrize("actions", [np.empty((0, 2)), np.array([[0.0, np.nan]])])
def test_an_episode_without_numbers_is_refused_before_anything_starts(tmp_path: Path, actions: np.ndarray) -> None:
    path = tmp_path / "episode_0.hdf5"
    with h5py.File(path, "w") as file:
        file["action"] = actions
    with pytest.raises(UsageError, match="no rows, or numbers that are none"):
        replay(path, "sim")


def test_a_file_that_is_no_episode_is_refused(tmp_path: Path) -> None:
    (tmp_path / "episode_0.hdf5").write_text("text")
    with pytest.raises(UsageError, match="is not an episode"):
        replay(tmp_path / "episode_0.hdf5", "sim")


def episode(path: Path, actions: np.ndarray, **attributes: object) -> Path:
    with h5py.File(path, "w") as file:
        file["action"] = actions.astype(np.float32)
        for name, value in attributes.items():
            file.attrs[name] = value
    return path


JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
NAMES = [f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS]


@pytest.mark.parametrize(
    ("attributes", "rows", "says"),
    [
        ({"units": ["deg"] * 14}, np.zeros((5, 14)), "was in deg when it was recorded"),
        ({"dim_names": NAMES[7:] + NAMES[:7]}, np.zeros((5, 14)), "sides right, left when it was recorded"),
        ({"dim_names": NAMES[:7]}, np.zeros((5, 7)), "sides left when it was recorded, left, right on rig sim"),
        ({}, np.full((5, 14), -60.0), "these look like degrees"),
        ({}, np.full((5, 14), 2048.0), "these look like servo ticks"),
    ],
)
def test_what_an_episode_says_of_itself_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, object], rows: np.ndarray, says: str
) -> None:
    monkeypatch.setattr(motion, "connect", lambda rig: pytest.fail("the rig was started"))
    with pytest.raises(PolicyError, match=says):
        replay(episode(tmp_path / "episode_0.hdf5", rows, **attributes), "sim")


@pytest.mark.parametrize(
    "attributes", [{"tick_hz": float("nan")}, {"tick_hz": -50.0}, {"action_space": "ee_delta"}, {"units": ["rad"]}]
)
def test_an_episode_that_contradicts_itself_is_refused(tmp_path: Path, attributes: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Next: "):
        replay(episode(tmp_path / "episode_0.hdf5", np.zeros((5, 14)), **attributes), "sim")


def test_an_episode_of_another_rate_is_resampled_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = np.arange(10.0).repeat(2).reshape(10, 2)
    recorded = read_recorded(episode(tmp_path / "episode_3.hdf5", rows, tick_hz=10.0))
    played = motion._at_the_rigs_rate(recorded, RIG, "episode_3.hdf5")
    assert len(played) == 46
    np.testing.assert_allclose(played[:, 0], np.arange(46) / 5, atol=1e-5)
    assert "recorded at 10 Hz, the rig ticks at 50: 10 rows become 46" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_the_followers_say_what_they_are_or_are_named() -> None:
    rig = load_rig(find_rig("aloha"))
    dimensions = (Dimension("waist", "rad", -1.0, 1.0), Dimension("gripper", "1", 0.0, 1.0))
    described = Description("m", "1", "1", (StreamDescription("arm_state", 200, dimensions),), "position")
    stop = threading.Event()
    publishers = [Publisher(rig.name, name, 1, monotonic_ns) for name in rig.followers]

    def say() -> None:
        while not stop.wait(0.05):
            for publisher in publishers:
                publisher.publish("description", described)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        assert motion.hear_vector(Station(rig), 30).names == (
            "left_waist",
            "left_gripper",
            "right_waist",
            "right_gripper",
        )
    finally:
        stop.set()
        thread.join()
        for publisher in publishers:
            publisher.close()
    with pytest.raises(NodeAbsent, match="follower_left, follower_right has not said"):
        motion.hear_vector(Station(rig), 0.2)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("refusal", ["", "it moves"])
def test_an_arm_is_recovered_through_the_pilot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], refusal: str
) -> None:
    one = Side("left", Base(), None, "follower_left")
    monkeypatch.setattr(motion, "rig_of", lambda _: msgspec.structs.replace(RIG, sides=(one,)))
    monkeypatch.setattr(motion, "connect", Station)
    about = Description("x", "1", "1", (), acts=(Act("recover", "its servos start again"),))
    monkeypatch.setattr(motion, "hear_descriptions", lambda _, arms: dict.fromkeys(arms, about))
    with Arms(refusal) as arms:
        with pytest.raises(UsageError, match="has no act guide; it has recover"):
            recover("follower_left", "r", "guide")
        with pytest.raises(UsageError, match="follower_up is no arm of this rig"):
            recover("follower_up", "r")
        if refusal:
            with pytest.raises(RequestRefused, match="while arms are commanded"):
                recover("follower_left", "r")
        else:
            recover("follower_left", "r")
            assert "nobody commands it. Next: engage when you are ready" in capsys.readouterr().out
    assert arms.recovered == "follower_left"


class Parking:
    """A pilot that parks what has torque, and lets go of what it is asked for twice."""

    def __init__(self, rig: Rig, stiff: set[str]) -> None:
        self.stiff = stiff
        self._request_server: RequestServer[PilotRequest] = RequestServer(rig.name, "pilot", PilotRequest)
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._finish.is_set():
            self._request_server.serve(self._answer, 10)

    def _answer(self, request: PilotRequest) -> Reply:
        assert isinstance(request, Park)
        arms = self.stiff & set(request.arms) if request.arms else self.stiff
        if not arms:
            return Done("no arm has torque: nothing to park")
        if not request.release:
            return Done("parked; torque stays on")
        if not request.confirmation:
            return Done("asked for once more", " ".join(request.arms))
        assert request.confirmation.split() == list(request.arms)
        self.stiff = self.stiff - arms
        return Done("parked and released")

    def __enter__(self) -> "Parking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish.set()
        self._thread.join()
        self._request_server.close()


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("stiff", "yes", "kept"),
    [
        (set(), True, set()),
        ({"follower_right", "leader_left"}, True, set()),
        ({"follower_right", "leader_left"}, False, {"follower_right", "leader_left"}),
    ],
)
def test_park_says_what_was_parked_and_asks_only_about_arms_that_have_torque(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stiff: set[str], yes: bool, kept: set[str]
) -> None:
    rig = load_rig(find_rig("bench"))
    asked: list[str] = []
    monkeypatch.setattr(motion, "rig_of", lambda _: rig)
    monkeypatch.setattr(motion, "connect", Station)

    def confirm(question: str) -> bool:
        asked.append(question)
        return yes

    monkeypatch.setattr(typer, "confirm", confirm)
    with Parking(rig, stiff) as pilot:
        park("bench", release=True)
    assert {question.partition(":")[0] for question in asked} == stiff
    assert len(asked) == (2 if yes else 1) * len(stiff), "twice, unless the first answer is no"
    assert pilot.stiff == kept
    out = capsys.readouterr().out
    assert ("no arm has torque: nothing to park" in out, "parked; torque stays on" in out) == (not stiff, bool(stiff))
    assert {line.partition(":")[0] for line in out.splitlines() if line.endswith(": torque off")} == stiff - kept
