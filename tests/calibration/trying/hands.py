"""A made-up rig whose operator does what `station rig try` asks, with arms and cameras that may be plugged in wrongly.

Which way a joint has to be turned for "so that its fingers go up" is worked out by MuJoCo from the arm's chain, not by what is tested.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.dynamixel.models import VX300S_CHAIN
from station.kinematics.arm import Kinematics, Pose
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.rig.rig import Rig
from station.steps.protocol import GO_ON
from tests.calibration.made_up_rig import ARMS, JOINTS, REST, World, jpeg
from tests.calibration.rendering import Picture

TURN_RAD = 0.3
WAYS = {
    "forward": (0, 1),
    "back": (0, -1),
    "to its left": (1, 1),
    "to its right": (1, -1),
    "up": (2, 1),
    "down": (2, -1),
}
_ARM = Kinematics(chain_model(VX300S_CHAIN, (-7.0,) * 6, (7.0,) * 6), FRAME)


def turned(pose: NDArray[np.float64], joint: str, words: str, step_rad: float = TURN_RAD) -> float:
    """The angle by which a hand turns that joint, so that what the words say comes true."""
    place = JOINTS.index(joint)
    for by in (step_rad, -step_rad):
        after = pose.copy()
        after[place] += by
        one, other = _ARM.forward(pose), _ARM.forward(after)
        if "fingers go" in words:
            axis, sign = WAYS[words.rpartition("fingers go ")[2]]
            if (other.position_m - one.position_m)[axis] * sign > 0.03 * step_rad:
                return by
        elif (_roll_rad(one, other) > 0) == words.startswith("clockwise"):
            return by
    raise AssertionError(f"nothing that {joint} does makes it go {words}")


def _roll_rad(one: Pose, other: Pose) -> float:
    """About the first one's x, which points out of the gripper."""
    first, second = (np.empty(4), np.empty(4))
    w, x, y, z = one.quaternion_wxyz
    first[:] = w, -x, -y, -z
    second[:] = other.quaternion_wxyz
    turn = first[0] * second[1] + first[1] * second[0] + first[2] * second[3] - first[3] * second[2]
    return 2 * float(turn)


def scene(seed: int) -> Picture:
    """What one camera sees. (H, W)"""
    noise = np.random.default_rng(seed).integers(20, 230, (12, 16), np.uint8)
    return np.asarray(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


class Hands(World):
    """The operator who does as asked. `faults` are put in by the tests."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self.real = {node: REST.copy() for node in ARMS}
        self.apertures = dict.fromkeys(ARMS, 0.0)
        self.cables = {node: node for node in (*ARMS, *rig.cameras)}
        """Device that is there → node that reads it."""
        self.signs: dict[tuple[str, str], int] = {}
        self.order: dict[tuple[str, str], str] = {}
        self.dead: set[tuple[str, str]] = set()
        self.covering = ""
        self.frozen = ""
        self.scenes = {node: scene(number) for number, node in enumerate(rig.cameras)}
        self.answers: list[str] = []
        """What is said to the next questions; without any, that it was done as asked."""
        self.wrong_way: set[tuple[str, str]] = set()
        self.meanwhile: Callable[[], object] = lambda: None
        self.said: list[str] = []
        self.asked: list[str] = []

    def tell(self, words: str) -> None:
        self.said.append(words)

    def ask(
        self,
        prompt: str,
        answers: tuple[str, ...] = (GO_ON,),
        meanwhile: Callable[[], None] = lambda: None,
        values: object = None,
        picture: bytes = b"",
    ) -> str:
        self.asked.append(prompt)
        if len(answers) == 1 or GO_ON in answers:
            self._do(prompt)
            self.meanwhile()
            return self.answers.pop(0) if self.answers and self.answers[0] in answers else GO_ON
        return self.answers.pop(0) if self.answers else "as asked"

    def _do(self, prompt: str) -> None:
        node, _, words = prompt.partition(": ")
        if words.startswith("hold your hand"):
            self.covering = node
        elif words.startswith("leave every view free"):
            self.covering = ""
        elif words.startswith("move its "):
            joint, _, way = words.removeprefix("move its ").partition(", by")[0].partition(" ")
            if joint == "gripper":
                self.apertures[node] = 1.0 if way == "open" else 0.0
                return
            by = turned(self.real[node], joint, way) if way not in ("in its positive direction",) else TURN_RAD
            by = -by if (node, joint) in self.wrong_way else by
            self.wrong_way.discard((node, joint))
            self.real[node][JOINTS.index(joint)] += by

    def listen(self, until_ns: int, clock: Callable[[], int]) -> None:
        for device, node in self.cables.items():
            if device in self.real and (device, "all") not in self.dead:
                self.joints[node] = self._read(device)
        super().listen(until_ns, clock)
        for device, node in self.cables.items():
            arm = self.seen.arms.get(node)
            if arm is not None:
                arm.positions[:] = [(*position[:-1], self.apertures[device]) for position in arm.positions]
            camera = self.seen.cameras.get(node)
            if camera is not None:
                dark = device == self.covering and device != self.frozen
                shade = np.full_like(self.scenes[device], 8) if dark else self.scenes[device]
                camera.pictures.clear()
                camera.pictures.extend([jpeg(shade)] * 3)

    def _read(self, device: str) -> NDArray[np.float64]:
        read = REST.copy()
        for place, joint in enumerate(JOINTS):
            by = self.real[device][place] - REST[place]
            shown = self.order.get((device, joint), joint)
            if (device, joint) not in self.dead:
                read[JOINTS.index(shown)] += by * self.signs.get((device, joint), 1)
        return read

    def swap(self, one: str, other: str) -> None:
        self.cables[one], self.cables[other] = other, one
