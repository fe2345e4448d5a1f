"""What a prompted measurement takes: nothing of what was captured before Enter, however long the prompt waited."""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
import pytest

from calibration.arms import calibrate as calibrate_arms
from calibration.cameras import calibrate as calibrate_cameras
from calibration.checks.survey import KEPT_PICTURES
from calibration.looks import Look, camera_seen
from calibration.measuring import Measuring
from station.bus.messages import ArmState, Description, Dimension, Frame, StreamDescription
from station.bus.sockets import HIGH_WATER, Publisher
from station.client import Station
from station.clock import NS_PER_MS
from station.errors import MeasurementPoor
from station.rig.rig import Rig, find_rig, load_rig
from station.steps.protocol import GO_ON

ARM, CAMERA = "follower_left", "cam_high"
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
PERIOD_NS = 5 * NS_PER_MS
LONGER_THAN_A_QUEUE = HIGH_WATER * 4 // 3
"""Readings of one arm while a prompt waits."""


def jpeg(shade: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((48, 64, 3), shade, np.uint8))[1])


class Publishing:
    """An arm at 200 Hz and a camera at 50, on real sockets; time goes on only as somebody looks at the clock."""

    def __init__(self, rig: Rig) -> None:
        self.now_ns, self.waist, self.shade, self.torque = 10**9, 0.0, 60, False
        self._count = 0
        self._nodes = {node: Publisher(rig.name, node, 1, lambda: self.now_ns) for node in (ARM, CAMERA)}
        self.rig = rig

    def describe(self) -> None:
        joints = tuple(Dimension(name, "rad", -3.1, 3.1, start=0.0) for name in JOINTS)
        arm = StreamDescription("arm_state", 200.0, (*joints, Dimension("gripper", "1", 0.0, 1.0)))
        frames = StreamDescription("frame", 50.0, width=64, height=48)
        self._nodes[ARM].publish("description", Description("vx300s", f"serial {ARM}", "46", (arm,)))
        self._nodes[CAMERA].publish("description", Description("webcam", f"serial {CAMERA}", "", (frames,)))

    def clock(self) -> int:
        self.tick()
        return self.now_ns

    def tick(self) -> None:
        self.now_ns += PERIOD_NS
        self._count += 1
        if self._count % 100 == 1:
            self.describe()
        position = (self.waist, *(0.0,) * 6)
        state = ArmState(position, (0.0,) * 7, (0.0,) * 7, None, None, self.torque)
        self._nodes[ARM].publish("arm_state", state, self.now_ns)
        if self._count % 4 == 0:
            self._nodes[CAMERA].publish("frame", Frame("jpeg", 64, 48, "driver"), self.now_ns, (jpeg(self.shade),))

    def close(self) -> None:
        for publisher in self._nodes.values():
            publisher.close()


@pytest.fixture
def world(runtime: str) -> Iterator[Publishing]:
    made = Publishing(load_rig(find_rig("sim")))
    yield made
    made.close()


class Operator:
    """Rests at the prompt, then moves the waist and turns the light up, holds still, presses Enter."""

    measuring: Measuring

    def __init__(self, world: Publishing, patient: bool = True) -> None:
        self.world, self.most_kept = world, 0
        self._patient = patient

    def ask(
        self, _prompt: str, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = lambda: None,
        picture: bytes = b"",
    ) -> str:  # fmt: skip
        for count in range(LONGER_THAN_A_QUEUE):
            self.world.tick()
            if count == LONGER_THAN_A_QUEUE * 2 // 3:
                self.world.waist, self.world.shade = self.world.waist + 0.5, 200
            if self._patient and count % 10 == 0:
                meanwhile()
                self._look()
        return GO_ON

    def tell(self, _words: str) -> None:
        """It is not looked at."""

    def _look(self) -> None:
        seen = self.measuring.seen
        kept = len(seen.arms[ARM].positions) + len(seen.cameras[CAMERA].pictures)
        self.most_kept = max(self.most_kept, kept)


Bench = tuple[Measuring, Operator]


@pytest.fixture
def bench(world: Publishing) -> Iterator[Bench]:
    operator = Operator(world)
    measuring = Measuring(world.rig, "ada", operator, False, world.clock, Station)
    with measuring as ready:
        operator.measuring = ready
        yield ready, operator


def test_nothing_captured_before_enter_counts(world: Publishing, bench: Bench) -> None:
    measuring, operator = bench
    measuring.ask("rest, move the waist, hold still")
    enter_ns = world.now_ns
    joints = measuring.rest(ARM)
    arm = measuring.arm(ARM)
    assert min(arm.at_ns) > enter_ns
    assert np.allclose(joints[:, 0], 0.5)
    assert operator.most_kept == 0  # nothing piles up at a prompt


class Shown:
    """Whoever shows what is seen."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def look(self, words: str, values: Mapping[str, float | str] | None, picture: bytes) -> None:
        self.looks.append(Look(words, dict(values or {}), picture))


def test_while_it_waits_the_newest_is_shown_twice_a_second_and_still_counts_for_nothing(world: Publishing) -> None:
    operator, shown = Operator(world), Shown()
    with Measuring(world.rig, "ada", operator, False, world.clock, Station, looker=shown) as measuring:
        operator.measuring = measuring
        begun_ns = world.now_ns
        measuring.ask("rest, move the waist, hold still", measuring.feels(ARM))
        waists = [look.values["waist_deg"] for look in shown.looks]
        assert waists[0] == 0.0 and waists[-1] == pytest.approx(28.6, abs=0.1), "what is so, not what was"
        assert 2 <= len(waists) <= 2 + 2 * (world.now_ns - begun_ns) / 1e9
        assert operator.most_kept == 0
        shown.looks.clear()
        measuring.ask("turn the light up", measuring.sees(CAMERA, camera_seen))
        assert shown.looks and all(look.picture for look in shown.looks)
        shown.looks.clear()
        measuring.ask("nothing to see")
        assert shown.looks == []


@pytest.mark.slow
def test_an_arm_that_was_moved_at_the_prompt_is_zeroed_where_it_rests_now(world: Publishing, bench: Bench) -> None:
    measuring, _ = bench
    calibrate_arms.zero(measuring, ARM, 1, None)
    kept = measuring.stored(ARM).arm
    assert kept is not None and kept.rest_rad is not None
    assert kept.rest_rad[0] == pytest.approx(0.5, abs=1e-6)


def test_a_picture_is_of_after_enter(world: Publishing, bench: Bench) -> None:
    measuring, _ = bench
    measuring.ask("turn the light up")
    assert measuring.picture(CAMERA).mean() == pytest.approx(200, abs=2)
    assert len(measuring.seen.cameras[CAMERA].pictures) <= KEPT_PICTURES


@pytest.mark.slow
def test_the_reference_picture_is_of_after_enter(world: Publishing, bench: Bench) -> None:
    measuring, _ = bench
    calibrate_cameras.reference(measuring, CAMERA)
    kept = measuring.stored(CAMERA).reference
    assert kept is not None and kept.brightness == pytest.approx(200, abs=2)


def test_what_moves_is_watched_from_enter_on(world: Publishing, bench: Bench) -> None:
    measuring, _ = bench
    measuring.ask("get ready to swing the arms")
    enter_ns = world.now_ns
    motion = measuring.watch_motion([CAMERA], 2.0)[CAMERA]
    assert min(motion.at_ns) > enter_ns


def test_torque_that_came_on_while_the_prompt_waited_is_refused(
    world: Publishing, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring, operator = bench
    ask = operator.ask

    def give_torque(prompt: str, meanwhile: Callable[[], None]) -> None:
        ask(prompt, meanwhile=meanwhile)
        world.torque = True

    monkeypatch.setattr(operator, "ask", give_torque)
    with pytest.raises(MeasurementPoor, match="torque on"):
        calibrate_arms.zero(measuring, ARM, 1, None)
    assert measuring.stored(ARM).arm is None
