"""One FR3 and its hand, simulated by franky-sim as its maker published it: `python served.py ADDRESS`, with the Python that has franky-sim.

Imports nothing of the station: that Python has none. Lines on its standard input are a hand beside the robot: `{"do": "reflex", "value":
0}` (`Loop.press` has the others), `{"log": PATH, "since": NS}` writes what has happened to the arm since then, a line of JSON each: when
(ns, CLOCK_MONOTONIC), what, numbers. `ready` and `done` answer. `--tell PATH`: its joints and the hand's width, 8 doubles, a hundred times
a second to that datagram socket. What franky-sim does not have is added here: the robot's pace and clock, its modes, its errors and how
they end, what lies between its fingers, and that the hand answers an order which was stopped.
"""

import argparse
import json
import queue
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from franky_sim import FrankaRobotServer, franka_robot_server
from franky_sim import franka_robot_protocol as protocol
from franky_sim.franka_gripper_protocol import GripperCommandStatus
from franky_sim.franka_gripper_server import FrankaGripperServer
from franky_sim.mujoco_simulator import MujocoSimulator

STEP_S, LATE_S = 0.001, 0.05
WIDTH_M = 0.08
"""Between the hand's fingers, open."""
LOGGED_EVERY, TOLD_EVERY = 2, 10
ERRORS = {"limit": 0, "joint": 6, "cartesian": 7, "communication": 25}
"""Places in `franka::Errors`' array, as libfranka numbers them."""
MODES = {
    "lock": protocol.RobotMode.kOther,
    "guide": protocol.RobotMode.kGuiding,
    "user_stop": protocol.RobotMode.kUserStopped,
}


class Served(FrankaRobotServer):  # type: ignore[misc]
    """The robot's server, and what may happen to a robot."""

    mode: Any = None
    """What it is in, instead of idle or move."""
    errors: tuple[bool, ...] = (False,) * 41
    log: "deque[tuple[int, str, tuple[float, ...]]]"

    @property
    def robot_state(self) -> Any:
        """As franky-sim has it, and how it stands."""
        state = super().robot_state
        return state if self.mode is None else state.replace(robot_mode=self.mode, errors=self.errors)

    def start_motion(self, *asked: Any) -> None:
        """Refused where a robot refuses."""
        if self.mode is not None:
            raise ValueError("not possible in this mode")
        super().start_motion(*asked)
        self.log.append((time.monotonic_ns(), "motion", ()))

    def _reset_state(self) -> None:
        """Whoever was connected is gone."""
        super()._reset_state()
        self.log.append((time.monotonic_ns(), "left", ()))

    def interrupt(self, mode: Any, error: int | None = None) -> None:
        """The robot ends whatever it does, and holds."""
        self.mode, self.errors = mode, tuple(place == error for place in range(41))
        under_way = self.current_motion_id
        self.stop_motion(send_preemption_signal=False)
        if under_way:
            status = (
                protocol.MoveStatus.kReflexAborted
                if error is not None
                else protocol.MoveStatus.kPreemptedDueToActivatedSafetyFunctions
            )
            protocol.BaseCommand.send_response(self._tcp_socket, protocol.RobotCommand.kMove, under_way, status)
            self.reset_current_motion_id()

    def well(self) -> None:
        """Whatever it was in is over."""
        self.mode, self.errors = None, (False,) * 41


def recover(command: Any, server: Served) -> None:
    """Automatic error recovery: of reflexes, not of what a person has to end."""
    status = protocol.AutomaticErrorRecoveryStatus
    if server.mode not in (None, protocol.RobotMode.kReflex):
        command.reply(status.kCommandNotPossibleRejected)
        return
    server.well()
    command.reply(status.kSuccess)


protocol.AutomaticErrorRecoveryCommand.handle = recover


class Hand(FrankaGripperServer):  # type: ignore[misc]
    """The hand's server: an order that a stop has ended is answered as well, which its client waits for."""

    def stop(self, *asked: Any) -> None:
        """End what is under way, and say so."""
        if self._pending_command_id is not None:
            protocol.BaseCommand.send_response(
                self._pending_tcp_socket, self._pending_command_type, self._pending_command_id, GripperCommandStatus.kAborted,
                command_type_struct="H", status_type_struct="H",
            )  # fmt: skip
        super().stop(*asked)


franka_robot_server.FrankaGripperServer = Hand


class Between:
    """What lies between the fingers: they close no further than it is wide."""

    def __init__(self, robot: Any) -> None:
        self._go, self._asked, self._width_m = robot.set_hand_goal, (robot.hand_width, 0.1, 70.0), -1.0
        robot.set_hand_goal = self._close

    def _close(self, width_m: float, speed_m_s: float, force_n: float) -> None:
        self._asked = width_m, speed_m_s, force_n
        self._go(max(width_m, self._width_m), speed_m_s, force_n)

    def put(self, opening: float) -> None:
        """Something as wide as the fingers so far open, 0 to 1; below 0: nothing any more."""
        self._width_m = opening * WIDTH_M
        self._close(*self._asked)


class Loop:
    """A thousand times a second, as far as this computer can: states carry the robot's clock, not the number of steps."""

    def __init__(self, address: str, skew_ppm: float, told: str) -> None:
        self.log: deque[tuple[int, str, tuple[float, ...]]] = deque(maxlen=200_000)
        self._sim = MujocoSimulator()
        self._sim.init()
        self._robot = self._sim.add_robot(
            initial_q=(0.0, 0.0, 0.0, -1.5708, 0.0, 1.5708, 0.0), initial_hand_width=WIDTH_M
        )
        self.server = Served(self._robot, [address])
        self.server.log = self.log
        self.server.init()
        self._sim.start()
        self._between, self._told = Between(self._robot), told
        self._since_s, self._since_ms, self._rate = time.monotonic(), 0.0, 1 + skew_ppm / 1e6
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def run(self) -> None:
        """Until the process is ended."""
        due_s = self._since_s
        step = 0
        while True:
            while not self.asked.empty():
                print(self._do(self.asked.get()) or "done", flush=True)
            self.server.process_commands()
            self._sim.step()
            # of the state, its stamp and its line in the log: what sending takes is in none of them
            now_ns = time.monotonic_ns()
            now_s = now_ns / 1e9
            self.server._FrankaServer__message_id = round(self._clock_ms(now_s))
            self.server.send_state()
            step += 1
            self._note(step, now_ns)
            due_s = max(due_s + STEP_S, now_s - LATE_S)
            time.sleep(max(0.0, due_s - time.monotonic()))

    def _clock_ms(self, now_s: float) -> float:
        """The robot's."""
        return self._since_ms + (now_s - self._since_s) * 1000 * self._rate

    def _note(self, step: int, now_ns: int) -> None:
        if step % LOGGED_EVERY == 0:
            self.log.append((now_ns, "q", tuple(self._robot.inner_state.q)))
        if self._told and step % TOLD_EVERY == 0:
            numbers = struct.pack("<8d", *self._robot.inner_state.q, self._robot.hand_width)
            with suppress(OSError):  # nobody draws it just now
                self._socket.sendto(numbers, socket.MSG_DONTWAIT, self._told)

    def _do(self, asked: dict[str, Any]) -> str:
        if "log" in asked:
            since = [entry for entry in list(self.log) if entry[0] >= asked.get("since", 0)]
            Path(asked["log"]).write_text("".join(json.dumps(entry) + "\n" for entry in since))
            return ""
        return self.press(asked["do"], asked.get("value", 0.0))

    def press(self, what: str, value: float) -> str:
        """What somebody does beside the robot. "" or what is wrong with it."""
        server = self.server
        if what == "reflex":
            server.interrupt(protocol.RobotMode.kReflex, int(value) or ERRORS["joint"])
        elif what in MODES:
            server.interrupt(MODES[what])
        elif what == "release":
            server.well()
        elif what == "hang_up":
            server.reset_state()
        elif what == "object":
            self._between.put(value)
        elif what == "skew_ppm":
            now_s = time.monotonic()
            self._since_ms, self._since_s, self._rate = self._clock_ms(now_s), now_s, 1 + value / 1e6
        elif what == "push":
            server.robot.data.qpos[server.robot._qpos_addrs[0]] += value
        else:
            return f"no {what!r}; there are reflex, {', '.join(MODES)}, release, hang_up, object, skew_ppm, push"
        return ""


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--tell", default="", metavar="PATH")
    parser.add_argument("--skew-ppm", type=float, default=0.0)
    asked = parser.parse_args()
    loop = Loop(asked.address, asked.skew_ppm, asked.tell)
    threading.Thread(target=loop.run, daemon=True).start()
    print("ready", flush=True)
    while select.select([sys.stdin], [], [])[0]:
        line = sys.stdin.readline()
        if not line:
            return
        loop.asked.put(json.loads(line))


if __name__ == "__main__":
    main()
