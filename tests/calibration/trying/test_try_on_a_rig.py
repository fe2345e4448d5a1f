"""`station rig try` as a job on real drivers and servo buses: two leaders and two cameras swapped, one sign reversed by a calibration.

Hands do what each step asks. No servo is ever given torque or a goal.
"""

import base64
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import pytest

from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import aloha_arm_servos, gello_servos
from station.files import calibration_files, try_results
from station.files.calibration_files import ArmCalibration, Calibration
from station.files.check_results import CheckResult
from station.rig.rig import load_rig
from station.steps.job import Job
from station.steps.protocol import GO_ON, Step
from tests.calibration.faulty_rig import ENVIRONMENT, LOADED
from tests.calibration.hand_moved import FOLLOWER_SERVOS, FOLLOWER_TURNED, GELLO_SERVOS, Hands
from tests.calibration.made_up_rig import JOINTS, MADE, REST, jpeg
from tests.calibration.rendering import Floats
from tests.calibration.trying.hands import scene, turned
from tests.drivers.cameras.mjpeg_server import MjpegServer

pytestmark = [pytest.mark.system, pytest.mark.rig, pytest.mark.timeout(400)]

PATIENCE_S = 300.0
HAND_S, HAND_STEPS = 0.5, 25
GELLO = "rate_hz: 50, baud: 1000000, ids: [1, 2, 3, 4, 5, 6, 7], offsets_rad: [0, 0, 0, 0, 0, 0], gripper: {open_rad: 0.6, close_rad: -0.4}"
"""As it was built: its servos count from half a turn away, which nobody has calibrated yet."""
SWAPPED = {"leader_left": "leader_right", "leader_right": "leader_left", "cam_high": "cam_low", "cam_low": "cam_high"}
"""Device → where the rig file looks for it."""


class Place:
    """The arms as they stand, and the hands that move them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.poses = {
            f"{role}_{side}": np.append(REST, 0.0) for side in ("left", "right") for role in ("leader", "follower")
        }
        self.plants: dict[str, Hands] = {}
        self.buses: list[ServoBus] = []
        self.torque: set[str] = set()
        for node in self.poses:
            leads = node.startswith("leader")
            plant = self.plants[node] = Hands(GELLO_SERVOS) if leads else Hands(FOLLOWER_SERVOS, FOLLOWER_TURNED)
            plant.path = partial(self._pose, node)
            setattr(plant, "drive", partial(self._driven, node))  # noqa: B010 (a method of the class)
            servos = gello_servos(baud=1_000_000) if leads else aloha_arm_servos("vx300s", "aloha1")
            self.buses.append(ServoBus(folder / node, servos, plant))
        self.scenes = {name: jpeg(scene(number)) for number, name in enumerate(("cam_high", "cam_low"))}
        self.cameras = {name: MjpegServer([picture], 10.0) for name, picture in self.scenes.items()}

    def rig_file(self) -> Path:
        at = {device: self.folder / SWAPPED.get(device, device) for device in self.poses}
        url = {name: self.cameras[SWAPPED[name]].url for name in self.cameras}
        sides = "".join(
            f"  {side}:\n    leader: {{driver: dynamixel, model: gello, port: {at[f'leader_{side}']}, {GELLO}}}\n"
            f"    follower: {{driver: dynamixel, model: vx300s, port: {at[f'follower_{side}']}, rate_hz: 50, generation: aloha1}}\n"
            for side in ("left", "right")
        )
        size = "width: 640, height: 480, fps: 10"
        cameras = "".join(f'  {name}: {{driver: opencv, source: "{where}", {size}}}\n' for name, where in url.items())
        file = self.folder / "rig.yaml"
        head = f"name: trying\ntick_hz: 50\ndata: {self.folder}/data\nimages: jpeg\n"
        file.write_text(f"{head}arms:\n{sides}cameras:\n{cameras}")
        return file

    def do(self, words: str) -> None:
        """What a step asks of the hands."""
        node, _, what = words.partition(": ")
        if what.startswith("hold your hand"):
            self.cover(node)
        elif what.startswith("leave every view free"):
            self.cover("")
        elif what.startswith("move its "):
            joint, _, way = what.removeprefix("move its ").partition(", by")[0].partition(" ")
            pose, place = self.poses[node], 6 if joint == "gripper" else JOINTS.index(joint)
            by = (0.6 if way == "open" else -0.4) - pose[6] if joint == "gripper" else turned(pose[:6], joint, way)
            for _ in range(HAND_STEPS):  # no hand jumps, and drivers refuse what does
                pose[place] += by / HAND_STEPS
                time.sleep(HAND_S / HAND_STEPS)

    def _pose(self, node: str, _t_s: float) -> Floats:
        return self.poses[node].copy()

    def _driven(self, node: str, _servo: int, on: bool, *_: object) -> None:
        if on:
            self.torque.add(node)

    def cover(self, camera: str) -> None:
        for name, server in self.cameras.items():
            server.pictures = [jpeg(np.full((480, 640), 9, np.uint8))] if name == camera else [self.scenes[name]]

    @contextlib.contextmanager
    def up(self) -> Iterator[Self]:
        with contextlib.ExitStack() as stack:
            for bus in self.buses:
                bus.start()
                stack.callback(bus.stop)
            for server in self.cameras.values():
                stack.enter_context(server)
            yield self


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, str(folder / name[4:7].lower()))
        Path(os.environ[name]).mkdir(mode=0o700)
    made = Place(folder)
    made.poses["leader_left"][6] = made.poses["leader_right"][6] = -0.4  # a trigger that is squeezed
    with made.up():
        yield made
    shutil.rmtree(folder)


def test_swapped_leaders_swapped_cameras_and_a_wrong_sign_are_found_without_torque(place: Place) -> None:
    signs = (1, 1, -1, 1, 1, 1)
    reads = np.array(signs) * REST  # half a turn is taken off, and the elbow is taken for one that turns the other way
    wrong_sign = ArmCalibration(MADE, JOINTS, (np.pi,) * 6, signs, tuple(reads.tolist()))
    calibration_files.save(Calibration("leader_right", "leader_left", "gello", arm=wrong_sign))
    file = place.rig_file()
    json, asked = place.folder / "try.json", []
    named = ["--only", "leader_left", "--only", "leader_right", "--only", "cam_high", "--only", "cam_low"]
    with Job(["rig", "try", str(file), *named, "--operator", "ada", "--json", str(json)]) as job:
        for line in job.lines(PATIENCE_S):
            if isinstance(line, Step) and line.answers:
                asked.append(line)
                place.do(line.words)
                job.answer(line, GO_ON if GO_ON in line.answers else "as asked")
        assert job.wait() == 1
    result = msgspec.json.decode(json.read_bytes(), type=CheckResult)
    aside = (*LOADED, "supply waist")  # emulated servos have 12 V, whichever they are
    bad = {
        (found.device, found.name) for found in result.findings if found.verdict == "fail" and found.name not in aside
    }
    assert bad == {  # the calibration is of the leader that is read as the left one, and stands on the right
        ("leader_left", "side"), ("leader_right", "side"), ("leader_right", "elbow"),
        ("cam_high", "told apart"), ("cam_low", "told apart"),
    }  # fmt: skip
    assert result.verdict == "fail"
    pictures = [step for step in asked if "hold your hand" in step.words]
    assert all(base64.b64decode(step.picture)[:2] == b"\xff\xd8" for step in pictures)
    stored = try_results.last("trying", load_rig(file).sha256)
    assert stored is not None
    assert (stored.operator, stored.result) == ("ada", result)
    assert place.torque == set()
    assert all(not bus.goal_log for bus in place.buses)
