"""The bench world: `python -m drivers.sim.bench.bench_world --rig R --node world`. A full rig's load without physics.

The same servo buses as the simulated world, paced like a wire, with shafts that follow their goals; leaders moved
along smooth sinusoids once the pilot is engaged, their grippers closed when a start sequence waits for it; cameras as MJPEG
over loopback HTTP, every picture with its true capture time inside (`jpeg_stamp`). `SaveTruth` writes what really
happened, so that the time from a leader's motion to the follower's goal register can be taken from outside the
station. Followers on the network are their controllers with nothing on the arm but a gripper, so that any mixture of arms can be put on a
bench.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zmq
from numpy.typing import NDArray

from drivers.sim.servos.buses import SWITCH_S, Arm, Buses, arms, running
from drivers.sim.servos.servo import CENTRE, RAD_PER_TICK, Plant
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import ShaftPlant
from drivers.sim.world.arms import JOINT_OF_SERVO, LeaderPlant, gello_shafts, horn_signs, leader_shafts
from drivers.sim.world.controllers import MAKES, Controllers, FreeBodies
from drivers.sim.world.requests import PressPendant, SetCameraFault, SetServoFault, WorldRequest
from drivers.sim.world.stream_server import Source, StreamServer
from station.bus.messages import Health, PilotState
from station.bus.requests import Done, PrepareScene, Reply, SaveTruth, ScoreScene
from station.bus.sockets import RequestServer
from station.client import Station
from station.clock import NS_PER_S
from station.errors import RequestRefused
from station.runtime.node import Node, run

_MIDDLE_RAD = (0.0, -0.9, 1.1, 0.0, -0.3, 0.0)
_SWING_RAD = (0.25, 0.20, 0.20, 0.30, 0.25, 0.30)
_GRIPPER_MIDDLE, _GRIPPER_SWING = 0.5, 0.4
_FOLLOWER_GRIPPER_RAD = 0.435
"""ALOHA's follower gripper half open."""
_PERIODS_S = (4.1, 5.3, 4.7, 3.7, 3.1, 4.3, 2.9)
_EASE_S = 2.0
_POLL_MS = 50
_TRUTH_HZ = 1000
STOP_DELAY_S = 1.2
"""After whoever records, commands and holds: the world is the last to go (stage 3 of the process table)."""


class Sway:
    """Hands on the leaders: still until told to move, then each shaft on a sinusoid of its own. Pure, any thread.

    q_j(t) = middle_j + e(t) · swing_j · sin(2π (t − t0) / period_j),     e eases in from 0 to 1 over two seconds
    """

    def __init__(self) -> None:
        self._begin_ns: int | None = None
        self.squeezing = False
        """Do the hands close the grippers?"""

    def go(self, moving: bool, now_ns: int) -> None:
        """Start at `now_ns`, or stop: stopping returns to the middle, which is no more than a swing away."""
        if moving and self._begin_ns is None:
            self._begin_ns = now_ns
        elif not moving:
            self._begin_ns = None

    def at(self, now_ns: int, middle_rad: Sequence[float] = _MIDDLE_RAD) -> list[float]:
        """An arm's joints around where it is at rest (rad), and the gripper (0…1). (J + 1,)"""
        middle = (*middle_rad, _GRIPPER_MIDDLE)
        swing = (*islice(cycle(_SWING_RAD), len(middle_rad)), _GRIPPER_SWING)
        periods = (*islice(cycle(_PERIODS_S[:-1]), len(middle_rad)), _PERIODS_S[-1])
        begin_ns = self._begin_ns
        t_s = 0.0 if begin_ns is None else max(0, now_ns - begin_ns) / NS_PER_S
        ease = min(1.0, t_s / _EASE_S)
        ease = ease * ease * (3 - 2 * ease)
        shafts = [
            m + ease * s * math.sin(2 * math.pi * t_s / period)
            for m, s, period in zip(middle, swing, periods, strict=True)
        ]
        return [*shafts[:-1], 0.0] if self.squeezing else shafts


class _Leader(NamedTuple):
    node: str
    shafts: Callable[[int], list[float]]
    """Where the hand has them at a time (ns), rad."""


class BenchWorld:
    """Buses, hands and camera server."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._sway = Sway()
        self._leaders: list[_Leader] = []
        self._followers: list[str] = []
        self._buses = Buses()
        self._controllers = Controllers(node.rig, FreeBodies(), node.clock)
        cameras = {name: node.rig.device(name).settings for name in node.rig.cameras}
        sources = {
            name: found for name, found in cameras.items() if hasattr(found, "source")
        }  # others see to themselves
        self._links = {name: Path(settings.source) for name, settings in sources.items()}
        self._server = StreamServer([Source(name, s.width, s.height, s.fps) for name, s in sources.items()], node.clock)
        self._request_server: RequestServer[WorldRequest] = RequestServer(node.rig.name, node.name, WorldRequest)
        self._heard = Station(node.rig).subscribe([("pilot", "pilot")])
        self._poller = zmq.Poller()
        self._poller.register(self._request_server.socket, zmq.POLLIN)
        self._poller.register(self._heard.socket, zmq.POLLIN)

    def run(self) -> None:
        """Until told to stop."""
        try:
            self._server.start()
            for name in self._links:
                self._link(name)
            with (
                running(arms(self._node.rig), self._plant, self._node.clock) as self._buses,
                self._controllers.running(),
            ):
                while not self._node.finish.is_set():
                    self._step()
        finally:
            for link in self._links.values():
                link.unlink(missing_ok=True)
            self._server.stop()
            self._heard.close()
            self._request_server.close()

    def _link(self, name: str) -> None:
        """`ports/<cam>` leads to the camera's URL, as a udev link leads to a device."""
        link = self._links[name]
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._server.url(name))
        fresh.replace(link)

    def _plant(self, arm: Arm) -> Plant:
        device, clock = arm.device, self._node.clock
        if device.role == "leader":
            shafts, places = self._hand(arm)
            self._leaders.append(_Leader(device.node, shafts))
            return LeaderPlant(arm.servos, shafts, clock, places)
        plant = ShaftPlant(clock)
        self._followers.append(device.node)
        signs = horn_signs(arm.servos)
        for servo, joint in JOINT_OF_SERVO.items():
            plant.move_hand(servo, signs[servo] * (*_MIDDLE_RAD, _FOLLOWER_GRIPPER_RAD)[joint])
        return plant

    def _hand(self, arm: Arm) -> tuple[Callable[[int], list[float]], Mapping[int, int]]:
        """Where a hand has a leader's shafts at a time, around the pose of the arm that it leads; servo ID → which shaft is its."""
        device, s = arm.device, arm.device.settings
        follower = next((one for one in self._node.rig.devices if one.node == f"follower_{device.side}"), None)
        make = MAKES.get(str(getattr(follower.settings, "model", ""))) if follower is not None else None
        middle_rad = make.start_rad if make is not None else _MIDDLE_RAD
        if s.model != "gello":
            generation = getattr(s, "generation", None) or "aloha1"
            return lambda now_ns: leader_shafts(self._sway.at(now_ns, middle_rad), generation), JOINT_OF_SERVO
        ids, trigger = [servo.id for servo in arm.servos], (s.gripper.close_rad, s.gripper.open_rad)
        signs = s.signs or (1,) * (len(ids) - 1)
        places = {servo_id: place for place, servo_id in enumerate(ids)}
        return lambda now_ns: gello_shafts(self._sway.at(now_ns, middle_rad), s.offsets_rad, signs, trigger), places

    def _step(self) -> None:
        self._poller.poll(_POLL_MS)
        self._request_server.serve(self._answer)
        for sample in self._heard.newest().values():
            if isinstance(sample.body, PilotState):
                self._sway.go(sample.body.state == "engaged" and sample.body.source == "leader", self._node.clock())
                self._sway.squeezing = sample.body.state == "waiting"
        if self._node.health_due(self._node.clock()):
            self._node.publish_health(Health(self._node.name, "ok", self._node.error))

    def _answer(self, request: WorldRequest) -> Reply:
        if isinstance(request, SetServoFault):
            self._buses.set_fault(request)
        elif isinstance(request, SetCameraFault):
            self._set_camera_fault(request)
        elif isinstance(request, PressPendant):
            return self._controllers.press(request)
        elif isinstance(request, SaveTruth):
            return Done(self._save_truth(request))
        elif isinstance(request, PrepareScene):
            return Done("nothing to prepare on a bench")
        elif isinstance(request, ScoreScene):
            raise RequestRefused("there is nothing to do on a bench. Next: use the rig `sim`, or judge by keys")
        return Done()

    def _set_camera_fault(self, request: SetCameraFault) -> None:
        if request.camera not in self._links:
            raise RequestRefused(f"no camera {request.camera}; there are {', '.join(self._links)}")
        if request.what == "slow" and not request.value > 0:
            raise RequestRefused("slow needs a value: pictures a second, above 0")
        self._server.set_fault(request.camera, request.what, request.value)

    def _save_truth(self, request: SaveTruth) -> str:
        now_ns = self._node.clock()
        since_ns = now_ns - round(request.seconds * NS_PER_S)
        arrays = self._controllers.truth(since_ns)
        times = np.arange(since_ns, now_ns, NS_PER_S // _TRUTH_HZ)
        for leader in self._leaders:
            path = [leader.shafts(int(t)) for t in times]
            arrays[f"{leader.node}_t_ns"], arrays[f"{leader.node}_rad"] = times, np.array(path)
        for name in self._followers:
            bus = self._buses[name]
            arrays[f"{name}_t_ns"], arrays[f"{name}_rad"] = goals(bus, since_ns)
            arrays[f"{name}_torque_losses"] = np.array([bus.servo(servo).losses for servo in bus.ids], np.int64)
        try:
            with Path(request.path).open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
        except OSError as error:
            raise RequestRefused(f"{request.path} cannot be written: {error}") from error
        return request.path


def goals(bus: ServoBus, since_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """When goals reached the servos since then, (N,), and what all seven were then, rad, in the arm's frame, (N, 7)."""
    with bus.lock:
        log = list(bus.goal_log)
    first = bisect_left(log, since_ns, key=lambda entry: entry[0])
    row = _before(log, first)
    times: list[int] = []
    rows: list[list[float]] = []
    for written_ns, servo, ticks in log[first:]:
        joint = JOINT_OF_SERVO.get(servo)
        if joint is None:
            continue
        row = [*row[:joint], (ticks - CENTRE) * RAD_PER_TICK, *row[joint + 1 :]]
        if times and times[-1] == written_ns:
            rows[-1] = row
        else:
            times.append(written_ns)
            rows.append(row)
    kept = [i for i, row in enumerate(rows) if not any(map(math.isnan, row))]
    return np.array([times[i] for i in kept], np.int64), np.array([rows[i] for i in kept], np.float64).reshape(-1, 7)


def _before(log: list[tuple[int, int, int]], first: int) -> list[float]:
    """The goals that stood before that entry, NaN where none was written yet. Backwards: the log is of hours."""
    row = [math.nan] * 7
    for _, servo, ticks in reversed(log[:first]):
        joint = JOINT_OF_SERVO.get(servo)
        if joint is not None and math.isnan(row[joint]):
            row[joint] = (ticks - CENTRE) * RAD_PER_TICK
            if not any(map(math.isnan, row)):
                break
    return row


def main(node: Node) -> None:
    """The node's loop."""
    sys.setswitchinterval(SWITCH_S)
    BenchWorld(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S)
