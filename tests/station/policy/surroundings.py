"""What surrounds the runner node in its tests: ticks, a camera, an arm that says what it is, and a pilot's ear."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from station.bus.messages import (
    Chosen,
    Description,
    Dimension,
    Frame,
    Health,
    PolicyState,
    Setpoint,
    StreamDescription,
    Tick,
)
from station.bus.requests import Done, LoadPolicy, Refused, Reply, Request
from station.bus.sockets import Publisher, RequestClient, Subscriber, milliseconds_until
from station.clock import Grid, monotonic_ns
from station.policy.node import main
from station.rig.rig import Rig
from station.runtime.node import Node

LIMIT_NS = 60_000_000_000
NAMES = ("waist", "shoulder", "gripper")
QPOS = (1.5, 3.0, 5.0)
RIG = """
name: policyrig
arms: {left: {follower: {driver: dynamixel, model: vx300s, port: ports/none, generation: aloha1}}}
cameras: {cam_high: {driver: opencv, source: ports/none2, width: 64, height: 48, fps: 30}}
world: {driver: bench}
"""


class Bench:
    """What surrounds the runner: ticks on the real grid, a camera, an arm that says what it is; and a pilot's ear."""

    def __init__(
        self, rig: Rig, followers: Mapping[str, Description] | None = None, qpos: tuple[float, ...] = QPOS
    ) -> None:
        """`followers`: what each says of itself; None: one arm of three joints."""
        self.rig = rig
        self._followers, self._qpos = followers, qpos
        self.grid = Grid(0, 50)
        self.tick = self.grid.index_at(monotonic_ns())
        self.camera_alive = True
        self.limit = 1e6
        """Of every joint: the small graphs of these tests ask for anything."""
        self.setpoints: list[Setpoint] = []
        self.shadow_setpoints: list[Setpoint] = []
        self.health: Health | None = None
        self.state: PolicyState | None = None
        self.heard: list[Setpoint | Health] = []
        """Asks and health, in the order in which they came."""
        self._frame = 0
        self._jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 51, np.uint8))[1].tobytes()
        self._publishers = {
            name: Publisher(rig.name, name, 77, monotonic_ns) for name in ("synchronizer", *rig.cameras, *rig.followers)
        }
        said = [("setpoint", "policy"), ("setpoint", "policy_shadow"), ("health", "policy"), ("policy", "policy")]
        self._ear = Subscriber(rig.name, said)
        self._client = RequestClient(rig.name, "policy")

    def until(self, done: Callable[[], Any]) -> None:
        """Go on ticking until it is done."""
        give_up_ns = monotonic_ns() + LIMIT_NS
        while not done():
            assert monotonic_ns() < give_up_ns, f"not within a minute; health {self.health}"
            self._beat()

    def ticks(self, count: int) -> None:
        last = self.tick + count
        self.until(lambda: self.tick >= last)

    def ask(self, request: Request) -> Reply:
        """Ask the runner while ticks go on."""
        number = self._client.send(request)
        replies: list[Reply] = []

        def answered() -> bool:
            reply = self._client.poll_reply(number)
            replies.extend([reply] if reply is not None else [])
            return bool(replies)

        self.until(answered)
        return replies[0]

    def send(self, request: Request) -> bytes:
        return self._client.send(request)

    def reply(self, number: bytes) -> Reply | None:
        return self._client.poll_reply(number)

    def holding(self) -> bool:
        return bool(self.setpoints) and self.setpoints[-1].hold

    def following(self) -> bool:
        return bool(self.setpoints) and not self.setpoints[-1].hold

    def load(self, folder: Path, blind: bool = False) -> None:
        """Load, as soon as the arm has been heard."""
        replies: list[Reply] = []

        def loaded() -> bool:
            replies.append(self.ask(LoadPolicy(str(folder), blind=blind)))
            return not (isinstance(replies[-1], Refused) and "has not said" in replies[-1].why)

        self.until(loaded)
        assert isinstance(replies[-1], Done), replies[-1]

    def _beat(self) -> None:
        self.tick += 1
        t_ns = self.grid.time_ns(self.tick)
        while (left := milliseconds_until(t_ns, monotonic_ns())) > 0:
            self._listen(left)
        self._listen(0)
        for follower, description in (self._followers or {"follower_left": self._of_three_joints()}).items():
            self._publishers[follower].publish("description", description)
        if self.camera_alive:
            frame = Frame("jpeg", 64, 48, "arrival")
            for camera in self.rig.cameras:
                self._frame = self._publishers[camera].publish("frame", frame, t_ns, [self._jpeg])
        age_ns = 0 if self.camera_alive else 5_000_000_000
        chosen = (
            *(Chosen(follower, 77, self.tick, t_ns, 0, True) for follower in self.rig.followers),
            *(Chosen(camera, 77, self._frame, t_ns, age_ns, True) for camera in self.rig.cameras),
        )
        self._publishers["synchronizer"].publish("tick", Tick(self.tick, t_ns, chosen, *(self._qpos,) * 3), t_ns)

    def _of_three_joints(self) -> Description:
        dimensions = tuple(Dimension(name, "rad", -self.limit, self.limit) for name in NAMES)
        return Description("vx300s", "1", "1", (StreamDescription("arm_state", 200, dimensions),), "position")

    def _listen(self, timeout_ms: int) -> None:
        sample = self._ear.receive(timeout_ms)
        while sample is not None:
            if isinstance(sample.body, Setpoint | Health):
                self.heard.append(sample.body)
            if isinstance(sample.body, Health):
                self.health = sample.body
            elif isinstance(sample.body, PolicyState):
                self.state = sample.body
            elif isinstance(sample.body, Setpoint):
                (self.setpoints if sample.node == "policy" else self.shadow_setpoints).append(sample.body)
            sample = self._ear.receive()

    def close(self) -> None:
        for publisher in self._publishers.values():
            publisher.close()
        self._ear.close()
        self._client.close()


class Runs(threading.Thread):
    """The node in a thread of the test's."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(daemon=True)
        self.node = Node(rig, "policy")
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            main(self.node)
        except Exception as error:
            self.error = error

    def close(self) -> None:
        self.node.finish.set()
        self.join(10)
        assert not self.is_alive()
        self.node.close()
