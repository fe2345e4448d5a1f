"""A rig as calibration hears it, without a bus: what each device says is made up, time goes on as somebody listens."""

from collections.abc import Callable

import cv2
import numpy as np

from calibration.checks.survey import ArmSeen, CameraSeen, Survey
from drivers.dynamixel.joints import Joints
from drivers.dynamixel.settings import DynamixelSettings
from station.bus.messages import Description, Dimension, StreamDescription
from station.clock import NS_PER_MS, NS_PER_S
from station.files.calibration_files import Made
from station.rig.rig import Rig
from station.steps.protocol import GO_ON
from tests.calibration.rendering import HEIGHT, WIDTH, Floats, Picture

JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
REST = np.array([0.0, -1.8, 1.6, 0.1, 0.6, 0.0])
TRAVEL_RAD = dict(
    zip(JOINTS, ((-3.1, 3.1), (-1.85, 1.26), (-1.76, 1.61), (-3.1, 3.1), (-1.87, 2.23), (-3.1, 3.1)), strict=True)
)
ARMS = ("leader_left", "follower_left", "leader_right", "follower_right")
MADE = Made("2026-01-02T03:04:05+00:00", "ada", "test", 1)
GRAY = np.full((HEIGHT, WIDTH), 90, np.uint8)


def jpeg(gray: Picture) -> bytes:
    return bytes(cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, 95))[1])


def arm_description(node: str, settings: DynamixelSettings) -> Description:
    """What the driver says of an arm with these settings, but for the serial number and the joints' travel, which are the test's."""
    role = "follower" if "follower" in node else "leader"
    facts = Joints(settings, role, {})
    joints = tuple(Dimension(name, "rad", *TRAVEL_RAD[name], start=0.0) for name in JOINTS)
    stream = StreamDescription("arm_state", 100.0, (*joints, Dimension("gripper", "1", 0.0, 1.0)))
    return Description(
        settings.model, f"serial {node}", "46", (stream,), "position",
        chain=settings.arm.chain, zeros=facts.zeros(), gripper=facts.gripper_facts(),
    )  # fmt: skip


class World:
    """The rig as the listener hears it; `told` is what the operator was asked, `acts` what they do then."""

    def __init__(self, rig: Rig) -> None:
        self.now_ns = 10**9
        self.joints: dict[str, Floats | Callable[[float], Floats]] = {node: REST.copy() for node in ARMS}
        self.gripper: Callable[[float], float] = lambda _t_s: 0.0
        self.torque = False
        self.told: list[str] = []
        self.acts: list[Callable[[], object]] = []
        arms = {node: ArmSeen(description=arm_description(node, rig.device(node).settings)) for node in ARMS}
        self.seen = Survey(arms, {})
        for node in rig.cameras:
            stream = StreamDescription("frame", 30.0, width=WIDTH, height=HEIGHT)
            self.seen.cameras[node] = CameraSeen(description=Description("webcam", f"serial {node}", "", (stream,)))
        self._encoded: tuple[Picture | None, bytes] = (None, b"")
        self.picture: Picture | Callable[[float], Picture] = GRAY
        """What every camera sees, or a function of the time (s) that says so."""

    def tell(self, words: str) -> None:
        """What was found; nobody here reads it."""

    def ask(
        self, prompt: str, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = lambda: None,
        values: object = None, picture: bytes = b"",
    ) -> str:  # fmt: skip
        self.told.append(prompt)
        if self.acts:
            self.acts.pop(0)()
        return GO_ON

    def listen(self, until_ns: int, _clock: Callable[[], int]) -> None:
        while self.now_ns < until_ns:
            self.now_ns += 10 * NS_PER_MS
            for node, arm in self.seen.arms.items():
                arm.at_ns.append(self.now_ns)
                arm.replies_ns.append(NS_PER_MS)
                joints = self.joints[node]
                at = joints(self.now_ns / NS_PER_S) if callable(joints) else joints
                arm.positions.append((*at, self.gripper(self.now_ns / NS_PER_S)))
                arm.torque = self.torque
            if self.now_ns % (50 * NS_PER_MS) == 0:
                gray = self.picture(self.now_ns / NS_PER_S) if callable(self.picture) else self.picture
                if gray is not self._encoded[0]:
                    self._encoded = (gray, jpeg(gray))
                for camera in self.seen.cameras.values():
                    camera.at_ns.append(self.now_ns)
                    camera.pictures.append(self._encoded[1])

    def drain(self) -> None:
        """Nothing piles up."""

    def forget_samples(self, _since_ns: int) -> None:
        for arm in self.seen.arms.values():
            arm.at_ns.clear()
            arm.positions.clear()
        for camera in self.seen.cameras.values():
            camera.at_ns.clear()
            camera.pictures.clear()

    def all_described(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held."""
