"""The simulated world, `python -m drivers.sim.world.mujoco_world --rig R --node world`: physics, arms, a scripted operator.

It stands in for the hardware: followers are moved by MuJoCo, leaders by the operator's hands, and all are reached only
through their servo buses or their controllers' ports. It shares the physics state with the cameras (`state_file`), publishes
the truth about the cube as `vector/world` (`TRUTH`), and answers `requests.WorldRequest`.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import zmq

from drivers.sim.operator.scripted_operator import Operator
from drivers.sim.servos.buses import SWITCH_S, Arm, Buses, arms, running
from drivers.sim.servos.servo import Plant
from drivers.sim.world import stages
from drivers.sim.world.arms import FollowerPlant, LeaderPlant, gello_shafts, leader_shafts
from drivers.sim.world.controllers import Controllers, SceneBodies
from drivers.sim.world.model import TIMESTEP_S
from drivers.sim.world.requests import PressPendant, SetCameraFault, SetServoFault, ShowBoard, SwingArms, WorldRequest
from drivers.sim.world.shares import Shares
from station.bus.messages import Health, PilotState, SessionState, Vector
from station.bus.requests import Done, PrepareScene, Refused, Reply, ScoreScene
from station.bus.sockets import RequestServer, milliseconds_until
from station.client import Station
from station.clock import NS_PER_S, Grid
from station.errors import RequestRefused, RigError
from station.runtime.node import Node, run

TRUTH = (
    "cube.x",
    "cube.y",
    "cube.z",
    "cube.qw",
    "cube.qx",
    "cube.qy",
    "cube.qz",
    "touch.left",
    "touch.right",
    "on_table",
    "done",
)
"""The numbers of `vector/world`: m, unit quaternion, then 0 or 1; `done` is what the scene's task wants."""

STEPS = 5
BATCH_HZ = 1 / (STEPS * TIMESTEP_S)
BATCH_NS = round(NS_PER_S / BATCH_HZ)
_TRUTH_EVERY = 5
_DONE_TRUTHS = 10
"""The cube is handed over when it has been so this often in a row: for half a second, not while it flies past."""
_LATE_BATCHES = 50
"""Further behind than half a second, the physics gives the lost time up instead of running after it."""
PREPARE_NS = 15 * NS_PER_S
"""How long PrepareScene may wait for hands to come home and grippers to leave the cube's place."""
STOP_DELAY_S = 1.2
"""After whoever records, commands and holds: the world is the last to go (stage 3 of the process table)."""


class WorldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig file's `world:` keys, `driver` aside."""

    scene: str = "handover"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scene not in stages.SCENES:
            raise ValueError(f"scene {self.scene!r}: there are {', '.join(stages.SCENES)}")


def settings_of(node: Node) -> WorldSettings:
    """The checked settings. Raises RigError."""
    raw = node.rig.world.settings if node.rig.world is not None else {}
    try:
        return msgspec.convert(raw, WorldSettings)
    except msgspec.ValidationError as error:
        raise RigError(
            node.rig.file, "world", str(error), f"the keys are driver, {', '.join(WorldSettings.__struct_fields__)}"
        ) from error


class _Asked(NamedTuple):
    """A PrepareScene that waits for the operator."""

    episode: int
    answer: Callable[[Reply], None]
    deadline_ns: int


class MujocoWorld:
    """The loop around scene, plants, operator and shares."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._settings = settings_of(node)
        self._scene: Any = stages.physics(self._settings.scene)
        self._script = stages.script(self._settings.scene)
        self._operator = Operator(self._settings.seed, node.clock(), self._script)
        self._followers: list[FollowerPlant] = []
        self._bodies = SceneBodies(node.rig, self._scene, node.clock, BATCH_NS)
        self._controllers = Controllers(node.rig, self._bodies, node.clock)
        self._shares = Shares(node.rig, len(self._scene.qpos()), self._scene.views, self._settings.scene)
        self._request_server: RequestServer[WorldRequest] = RequestServer(node.rig.name, node.name, WorldRequest)
        self._heard = Station(node.rig).subscribe([("session", "session"), ("pilot", "pilot")])
        self._poller = zmq.Poller()
        self._poller.register(self._request_server.socket, zmq.POLLIN)
        self._session: SessionState | None = None
        self._pilot: PilotState | None = None
        self._waiting: _Asked | None = None
        self._buses = Buses()
        self._grid = Grid(node.clock(), BATCH_HZ)
        self._batch = self._given_up = 0
        self._done = 0
        """How often in a row the task was done, up to _DONE_TRUTHS; then it stays until the next scene."""

    def run(self) -> None:
        """Until told to stop."""
        try:
            with (
                running(arms(self._node.rig), self._plant, self._node.clock) as self._buses,
                self._controllers.running(),
            ):
                self._grid = Grid(self._node.clock(), BATCH_HZ)
                while not self._node.finish.is_set():
                    self._serve_until(self._grid.time_ns(self._batch))
                    self._advance()
        finally:
            self._shares.close()
            self._heard.close()
            self._request_server.close()

    def _plant(self, arm: Arm) -> Plant:
        device, clock = arm.device, self._node.clock
        self._check_side(device.side)
        if device.role == "follower":
            follower = FollowerPlant(self._scene, device.side, arm.servos, clock, BATCH_NS)
            self._followers.append(follower)
            return follower
        if device.settings.model == "gello":
            return self._gello(arm)
        generation = getattr(device.settings, "generation", None) or "aloha1"
        return LeaderPlant(
            arm.servos, lambda now_ns: leader_shafts(self._operator.at(device.side, now_ns).tolist(), generation), clock
        )

    def _gello(self, arm: Arm) -> Plant:
        side, settings, ids = arm.device.side, arm.device.settings, [servo.id for servo in arm.servos]
        signs = settings.signs or (1,) * (len(ids) - 1)
        trigger = settings.gripper.close_rad, settings.gripper.open_rad

        def hand(now_ns: int) -> list[float]:
            return gello_shafts(self._operator.at(side, now_ns).tolist(), settings.offsets_rad, signs, trigger)

        return LeaderPlant(arm.servos, hand, self._node.clock, {servo_id: n for n, servo_id in enumerate(ids)})

    def _check_side(self, side: str) -> None:
        if side not in self._script.sides:
            raise RigError(
                self._node.rig.file,
                f"arms.{side}",
                f"the scene has {' and '.join(self._script.sides)}",
                "name the side so",
            )

    def _serve_until(self, due_ns: int) -> None:
        """Answer what is asked until the next batch is due; the last fraction of a millisecond is slept."""
        while True:
            wait_ms = milliseconds_until(due_ns, self._node.clock())
            if self._poller.poll(wait_ms):
                self._answer()
            elif wait_ms == 0:
                break
        time.sleep(max(0, due_ns - self._node.clock()) / NS_PER_S)

    def _advance(self) -> None:
        """One batch of physics, and everybody told of it. Late batches follow at once: physics time stays ours."""
        now_ns = self._grid.time_ns(self._batch)
        self._scene.step(STEPS)
        for follower in self._followers:
            follower.update(now_ns)
        for arm in self._bodies.arms:
            arm.update(now_ns)
        self._shares.write(now_ns, self._scene.qpos())
        self._operate(now_ns)
        if self._batch % _TRUTH_EVERY == 0:
            self._tell_truth(now_ns)
        if self._node.health_due(self._node.clock()):
            self._tell_health()
        self._batch += 1
        behind = self._grid.index_at(self._node.clock()) - self._batch
        if behind > _LATE_BATCHES:
            self._batch += behind
            self._given_up += behind

    def _hear(self) -> None:
        for sample in self._heard.newest().values():
            if isinstance(sample.body, SessionState):
                self._session = sample.body
            elif isinstance(sample.body, PilotState):
                self._pilot = sample.body

    def _operate(self, now_ns: int) -> None:
        self._hear()
        x_m, y_m, _ = self._script.cube_start(self._settings.seed, self._operator.episode)
        followers = {side: np.array(self._scene.setpoint(side)) for side in self._script.sides}
        cube = self._operator.update(now_ns, self._session, self._pilot, followers, self._scene.clear_of(x_m, y_m))
        if cube is not None:
            self._scene.place_cube(*cube)
        self._tell_waiting(now_ns)

    def _tell_waiting(self, now_ns: int) -> None:
        asked = self._waiting
        if asked is None:
            return
        if self._operator.ready:
            asked.answer(Done(f"the cube is where it is for episode {asked.episode}"))
        elif now_ns > asked.deadline_ns:
            asked.answer(Refused("a gripper is where the cube belongs. Next: `station park`, then ask again"))
        else:
            return
        self._waiting = None

    def _answer(self) -> None:
        while (got := self._request_server.receive()) is not None:
            request, answer, _ = got
            if isinstance(request, PrepareScene):
                self._prepare(_Asked(request.episode, answer, self._node.clock() + PREPARE_NS))
            elif isinstance(request, ScoreScene):
                answer(Done("done" if self._done == _DONE_TRUTHS else "not done"))
            elif isinstance(request, SetServoFault | SetCameraFault):
                answer(self._set_fault(request))
            elif isinstance(request, PressPendant):
                answer(self._controllers.press(request))
            elif isinstance(request, ShowBoard):
                self._shares.show_board(request)
                answer(Done())
            elif isinstance(request, SwingArms):
                answer(self._swing(request))
            elif self._bodies.arms:
                answer(self._controllers.save_truth(request))
            else:
                answer(Refused("only a bench world keeps the truth about latency. Next: use the rig `bench`"))

    def _set_fault(self, request: SetServoFault | SetCameraFault) -> Reply:
        try:
            if isinstance(request, SetServoFault):
                self._buses.set_fault(request)
            else:
                self._shares.set_fault(request)
        except RequestRefused as error:
            return Refused(str(error))
        return Done()

    def _swing(self, request: SwingArms) -> Reply:
        if self._operator.swing(self._node.clock(), request.seconds, request.heedless):
            return Done()
        return Refused(
            f"the operator is {self._operator.state}. Next: engage the leaders, wait until the hands are home"
        )

    def _prepare(self, asked: _Asked) -> None:
        if self._waiting is not None:
            self._waiting.answer(Refused(f"episode {asked.episode} was asked for meanwhile"))
        self._waiting = asked
        self._hear()  # whoever asks may have heard already that the last episode is over
        self._operator.prepare(asked.episode, self._node.clock())
        self._done = 0

    def _tell_truth(self, now_ns: int) -> None:
        truth = self._scene.truth()
        if self._done < _DONE_TRUTHS:
            self._done = self._done + 1 if truth.done and self._operator.placed else 0
        flags = (truth.touches["left"], truth.touches["right"], truth.on_table, truth.done)
        self._node.publisher.publish(
            "vector", Vector((*truth.position_m, *truth.quaternion_wxyz, *map(float, flags))), now_ns
        )

    def _tell_health(self) -> None:
        late_ms = (self._node.clock() - self._grid.time_ns(self._batch)) / 1e6
        readings = {"late_ms": late_ms, "given_up_ms": self._given_up * BATCH_NS / 1e6}
        notes = (f"operator: {self._operator.state}, episode {self._operator.episode}",)
        self._node.publish_health(Health(self._node.name, "ok", self._node.error, (), readings, notes))


def main(node: Node) -> None:
    """The node's loop."""
    sys.setswitchinterval(SWITCH_S)
    MujocoWorld(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S)
