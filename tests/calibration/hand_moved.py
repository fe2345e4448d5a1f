"""A rig whose arms are moved by hand and whose wrist camera sees a board: real servo buses and drivers, truth known to the digit.

The follower is a ViperX, the leader a GELLO; the camera is bolted to the follower's gripper, has a lens of its own, and sends
MJPEG over HTTP. What the simulated rig cannot have (its wrist cameras turn on their mounts), this has.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from calibration.maths.poses import Pose, from_quaternion
from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import aloha_arm_servos, gello_servos
from station.clock import NS_PER_S, monotonic_ns
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from tests.calibration import rendering
from tests.calibration.rendering import BOARD, HEIGHT, WIDTH
from tests.drivers.cameras.mjpeg_server import MjpegServer

Path_ = Callable[[float], np.ndarray]
"""Joints and gripper by time (s), rad, as their servos count them. (7,)"""

FOLLOWER_SERVOS = {1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 4, 8: 5, 9: 6}
"""Servo → place in the path; shadows are on their primary's shaft."""
FOLLOWER_TURNED = (2, 4, 7)
"""Drive Mode 1: the joint turns against the shaft."""
GELLO_SERVOS = {number + 1: number for number in range(7)}
OVER = 2
_PX = 120


class Hands:
    """A plant: shafts are wherever the hands' path has them, exactly."""

    def __init__(self, places: dict[int, int], turned: tuple[int, ...] = ()) -> None:
        self.path: Path_ = lambda _t_s: np.zeros(7)
        self._places, self._turned = places, turned

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        """Position rad; nothing else is known."""
        now_s = (monotonic_ns() if at_ns is None else at_ns) / NS_PER_S
        rad = float(self.path(now_s)[self._places[servo_id]])
        return -rad if servo_id in self._turned else rad, 0.0, 0.0

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        """Limp."""

    def wander_to(self, there: np.ndarray, seconds: float, random: np.random.Generator) -> None:
        """Be moved about for so long, then lie there, still."""
        begun, here = monotonic_ns() / NS_PER_S, self.path(monotonic_ns() / NS_PER_S)
        speed, swing = random.uniform(2, 4, 7), random.uniform(0.1, 0.3, 7) * (1, 1, 1, 1, 1, 1, 0)

        def path(t_s: float) -> np.ndarray:
            share = min(1.0, (t_s - begun) / seconds)
            return here + (there - here) * share + swing * np.sin(speed * (t_s - begun)) * (share < 1.0)

        self.path = path


class Eye:
    """The picture of a board (or a table), drawn when what is seen has changed."""

    def __init__(self, server: MjpegServer, seen: Callable[[float], Pose | None]) -> None:
        """`seen` says where the board is in the camera's frame at a time (s); None: it is not there."""
        self.seen, self._server = seen, server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eye", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last: Pose | None = None
        while not self._stop.wait(0.05):
            now = self.seen(monotonic_ns() / NS_PER_S)
            if (
                now is not None
                and last is not None
                and np.allclose(np.column_stack(now), np.column_stack(last), atol=1e-9)
            ):
                continue
            last = now
            self._server.pictures = [jpeg(drawn(now))]


def jpeg(gray: np.ndarray) -> bytes:
    """As cameras do."""
    return bytes(cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, 92))[1])


def drawn(camera_from_board: Pose | None) -> np.ndarray:
    """The board through the lens, or a wall. (HEIGHT, WIDTH)"""
    if camera_from_board is None:
        return np.full((HEIGHT, WIDTH), 110, np.uint8)
    return rendering.board_picture(camera_from_board, seed=time.monotonic_ns() % 2**31, noise=1.5)


class WristCamera:
    """Where a camera is that is bolted to the follower's gripper."""

    def __init__(self, gripper_from_camera: Pose) -> None:
        self.on_gripper = gripper_from_camera
        self._arm = Kinematics(chain_model(VX300S_CHAIN, (-3.0,) * 6, (3.0,) * 6), FRAME)

    def base_from_camera(self, joints_rad: np.ndarray) -> Pose:
        """(6,)"""
        at = self._arm.forward(np.asarray(joints_rad, np.float64))
        quaternion = tuple(float(number) for number in at.quaternion_wxyz)
        return from_quaternion(quaternion, tuple(float(number) for number in at.position_m)) @ self.on_gripper


def buses(folder: Path, follower: Hands, leader: Hands) -> list[ServoBus]:
    """Both arms' servos behind `folder`/follower and `folder`/leader."""
    return [
        ServoBus(folder / "follower", aloha_arm_servos("vx300s", "aloha1"), follower),
        ServoBus(folder / "leader", gello_servos(baud=1_000_000), leader),
    ]


def rig_text(folder: Path, url: str, fps: int) -> str:
    """Its rig file."""
    return f"""name: handmoved
tick_hz: 50
data: {folder}/data
images: jpeg
arms:
  left:
    leader: {{driver: dynamixel, model: gello, port: {folder}/leader, rate_hz: 50, baud: 1000000, ids: [1, 2, 3, 4, 5, 6, 7],
             signs: [1, 1, 1, 1, 1, 1], offsets_rad: [0, 0, 0, 0, 0, 0], gripper: {{open_rad: 0.6, close_rad: -0.4}}}}
    follower: {{driver: dynamixel, model: vx300s, port: {folder}/follower, rate_hz: 50, generation: aloha1}}
cameras:
  cam_left_wrist: {{driver: opencv, source: "{url}", width: {WIDTH}, height: {HEIGHT}, fps: {fps}}}
board: {{squares_x: {BOARD.squares_x}, squares_y: {BOARD.squares_y}, square_m: {BOARD.square_m}, marker_m: {BOARD.marker_m}}}
"""
