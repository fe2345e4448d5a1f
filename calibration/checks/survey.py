"""Listening to a running rig for a few seconds: everything that a check or a calibration needs, without touching a device."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from station.bus.messages import ArmState, Description, Dimension, Frame, Health, PilotState, RecorderState
from station.bus.wire import Sample
from station.client import Station
from station.clock import NS_PER_S, Clock

Gray = NDArray[np.uint8]

KEPT_PICTURES = 8
_MOST_AT_ONCE = 20_000
"""Messages taken in by one `drain`: some seconds of a rig, so that a publisher which floods does not keep it for ever."""
_LOOK_S, _LONGEST_WARM_UP_S = 0.05, 3.0
"""Descriptions are repeated every second: how often it is looked whether all have come, and until when."""


@dataclass
class ArmSeen:
    """What one arm said."""

    at_ns: list[int] = field(default_factory=list)
    positions: list[tuple[float, ...]] = field(default_factory=list)
    replies_ns: list[int] = field(default_factory=list)
    torque: bool = False
    newest: tuple[float, ...] = ()
    """Where it is, also while nothing counts."""
    description: Description | None = None
    first: Health | None = None
    last: Health | None = None

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints, gripper left out."""
        return tuple(d.name for d in self._dimensions if d.unit == "rad")

    @property
    def joint_rad(self) -> NDArray[np.float64]:
        """Joint positions, gripper left out. (N, D)"""
        places = [i for i, d in enumerate(self._dimensions) if d.unit == "rad"]
        return np.array(self.positions, np.float64).reshape(len(self.positions), -1)[:, places]

    @property
    def _dimensions(self) -> tuple[Dimension, ...]:
        return self.description.streams[0].dimensions if self.description else ()


@dataclass
class CameraSeen:
    """What one camera said."""

    at_ns: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    pictures: "deque[bytes]" = field(default_factory=lambda: deque(maxlen=KEPT_PICTURES))
    newest: Sample | None = None
    """What it sees, also while nothing counts."""
    description: Description | None = None
    last: Health | None = None

    def newest_jpeg(self) -> bytes:
        """The same as a picture; b"" before the first."""
        sample = self.newest
        if sample is None or not isinstance(sample.body, Frame):
            return b""
        return _as_jpeg(sample.body, bytes(sample.payload[0]))

    def grays(self) -> list[Gray]:
        """The last few pictures, grey."""
        found = (cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE) for jpeg in self.pictures)
        return [np.asarray(gray, np.uint8) for gray in found if gray is not None]


@dataclass
class Survey:
    """What a rig said."""

    arms: dict[str, ArmSeen]
    cameras: dict[str, CameraSeen]
    pilot: PilotState | None = None
    recorder_first: RecorderState | None = None
    recorder_last: RecorderState | None = None

    def sharing(self, node: str) -> list[str]:
        """Other devices of the rig that say they have the same serial number: their calibration would be one file."""
        seen: dict[str, ArmSeen | CameraSeen] = {**self.arms, **self.cameras}
        mine = seen[node].description
        return [
            other
            for other, found in seen.items()
            if mine is not None
            and other != node
            and found.description is not None
            and found.description.serial == mine.serial
        ]


def survey(
    station: Station, seconds: float, clock: Clock, progress: Callable[[float], None] = lambda _: None
) -> Survey:
    """Listen for so long, and say twice a second which share of it is over."""
    listener = Listener(station)
    try:
        until_ns = clock() + int(_LONGEST_WARM_UP_S * NS_PER_S)
        while not listener.all_described() and clock() < until_ns:
            listener.listen(clock() + int(_LOOK_S * NS_PER_S), clock)
        listener.forget_samples(clock())
        begun_ns, until_ns = clock(), clock() + int(seconds * NS_PER_S)
        while (now_ns := clock()) < until_ns:
            progress((now_ns - begun_ns) / (until_ns - begun_ns))
            listener.listen(min(until_ns, now_ns + NS_PER_S // 2), clock)
        return listener.seen
    finally:
        listener.close()


class Listener:
    """A subscriber of everything a survey keeps."""

    def __init__(self, station: Station) -> None:
        rig = station.rig
        arms = [device.node for device in rig.devices if device.role in ("leader", "follower")]
        topics = [(kind, node) for node in arms for kind in ("arm_state", "description", "health")]
        topics += [(kind, node) for node in rig.cameras for kind in ("frame", "description", "health")]
        topics += [("pilot", "pilot"), ("recorder", "synchronizer")]
        self._heard = station.subscribe(topics)
        self._since_ns = 0
        self.seen = Survey({node: ArmSeen() for node in arms}, {node: CameraSeen() for node in rig.cameras})

    def listen(self, until_ns: int, clock: Clock) -> None:
        """Take in what comes until then, and what has come by then: on a busy computer much of it waits in the sockets."""
        while (left_ns := until_ns - clock()) > 0:
            sample = self._heard.receive(min(100, left_ns // 1_000_000 + 1))
            if sample is not None:
                self._take(sample)
        self.drain()

    def drain(self) -> None:
        """Take in what has come, without waiting: a prompt calls it, or sockets would fill and keep the oldest."""
        for _ in range(_MOST_AT_ONCE):
            sample = self._heard.receive()
            if sample is None:
                return
            self._take(sample)

    def forget_pictures(self) -> None:
        """Keep as few from now on as a survey needs."""
        for camera in self.seen.cameras.values():
            camera.pictures = deque(maxlen=KEPT_PICTURES)

    def forget_samples(self, since_ns: int, keep_pictures: int = KEPT_PICTURES) -> None:
        """Keep descriptions and health; readings and pictures begin anew, the newest `keep_pictures` of each camera.

        None captured before `since_ns` will count, whenever it arrives: sockets and networks hold older ones.
        """
        self._since_ns = since_ns
        for arm in self.seen.arms.values():
            for kept in (arm.at_ns, arm.positions, arm.replies_ns):
                kept.clear()
            arm.first = None
        for camera in self.seen.cameras.values():
            camera.at_ns.clear()
            camera.digests.clear()
            camera.pictures = deque(maxlen=keep_pictures)
        self.seen.recorder_first = None

    def all_described(self) -> bool:
        """Has every device said what it is?"""
        arms, cameras = self.seen.arms.values(), self.seen.cameras.values()
        return all(arm.description for arm in arms) and all(camera.description for camera in cameras)

    def close(self) -> None:
        """Stop listening."""
        self._heard.close()

    def _take(self, sample: Sample) -> None:
        body, seen = sample.body, self.seen
        if isinstance(body, PilotState):
            seen.pilot = body
        elif isinstance(body, RecorderState):
            seen.recorder_first, seen.recorder_last = seen.recorder_first or body, body
        elif sample.node in seen.arms:
            _take_arm(seen.arms[sample.node], sample, self._since_ns)
        elif sample.node in seen.cameras:
            _take_picture(seen.cameras[sample.node], sample, self._since_ns)


def _take_arm(arm: ArmSeen, sample: Sample, since_ns: int) -> None:
    body = sample.body
    if isinstance(body, ArmState):
        arm.torque, arm.newest = body.torque, body.position  # what is so, whenever it was said
        if sample.header.captured_at_ns < since_ns:
            return
        arm.at_ns.append(sample.header.captured_at_ns)
        arm.positions.append(body.position)
        arm.replies_ns.append(body.uncertainty_ns)
    elif isinstance(body, Description):
        arm.description = body
    elif isinstance(body, Health):
        arm.first, arm.last = arm.first or body, body


def _take_picture(camera: CameraSeen, sample: Sample, since_ns: int) -> None:
    body = sample.body
    if isinstance(body, Frame):
        camera.newest = sample
        if sample.header.captured_at_ns < since_ns:
            return
        data = _as_jpeg(body, bytes(sample.payload[0]))
        camera.at_ns.append(sample.header.captured_at_ns)
        camera.digests.append(hashlib.blake2b(data, digest_size=16).digest())
        camera.size = (body.width, body.height)
        camera.pictures.append(data)
    elif isinstance(body, Description):
        camera.description = body
    elif isinstance(body, Health):
        camera.last = body


def _as_jpeg(frame: Frame, data: bytes) -> bytes:
    if frame.encoding == "jpeg":
        return data
    picture = np.frombuffer(data, np.uint8).reshape(frame.height, frame.width, 3)
    if frame.encoding == "rgb8":
        picture = picture[:, :, ::-1]
    return bytes(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 95))[1])
