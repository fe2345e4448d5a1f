"""franky in a process of its own (`station.devices.networked.vendor_process`), and the robot's readings from there.

The robot serves one client, so that what commands it reads it too: a thread reads the library's state at the driver's rate and tells it on
a second socket, where it also hears what else is to be done. The thousand commands a second that the robot wants leave from the library's
own thread, which Python never holds up: `JointImpedanceTracker` turns the newest target into torques.
"""

import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from drivers.franka import approach, errors, kernel, states
from drivers.franka.models import SERVER_VERSION, VELOCITY_RAD_S
from station.devices.networked.track import Track
from station.devices.networked.vendor_process import Process, arguments

COMMAND_HZ = 200.0
_LATE_S = 0.1
"""Readings that are later than this are not made up for."""
_CLEARS_S = 1.0
"""By then the errors that an operator had cleared are gone from the robot's states."""
_SMOOTHS = 0.4
"""Of a new speed in each cycle: goals come unevenly, and the damping pulls towards the speed as hard as towards the place."""


class Settings:
    """The process's arguments."""

    def __init__(self, given: list[str]) -> None:
        self.states, self.address, self.rate_hz = int(given[0]), given[1], float(given[2])
        numbers = [float(one) for one in given[3:]]
        self.stiffness, self.damping, self.torque_nm, self.force_n = (
            numbers[:7],
            numbers[7:14],
            numbers[14:21],
            numbers[21:27],
        )


class Robot:
    """The connection, and the thread that reads it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.connection: Any = None
        self.busy = threading.Lock()
        """Held while a state is read, and while a motion begins: the library does one of the two."""
        self._driver = socket.socket(fileno=settings.states)
        self._driver.setblocking(False)
        self._last_ms = -1

    def run(self) -> None:
        """Connect, then tell every reading, until the process ends."""
        try:
            self._connect()
            due_s = time.monotonic()
            while True:
                self._hear()
                self._tell()
                due_s = max(due_s + 1 / self.settings.rate_hz, time.monotonic() - _LATE_S)
                time.sleep(max(0.0, due_s - time.monotonic()))
        except Exception as error:  # whatever the library raises: the driver tells it, and ends us
            self._say(states.noted(states.Note(why(str(error)) or type(error).__name__)))

    def _connect(self) -> None:
        import franky

        slow = kernel.found()
        real_time = franky.RealtimeConfig.Ignore if slow else franky.RealtimeConfig.Enforce
        robot = franky.Robot(self.settings.address, realtime_config=real_time)
        torque, force = self.settings.torque_nm, self.settings.force_n
        robot.set_collision_behavior(torque, force)
        self.connection = robot
        self._say(states.noted(states.Note("", SERVER_VERSION, slow)))

    def _tell(self) -> None:
        with self.busy:
            state = self.connection.state
        now_ns = time.monotonic_ns()
        clock_ms = state.time.to_msec()
        if clock_ms == self._last_ms:
            return
        self._last_ms = clock_ms
        reading = states.State(
            now_ns, clock_ms, tuple(state.q), tuple(state.dq), tuple(state.tau_J), state.robot_mode.value,
            errors.bits(state.current_errors), state.control_command_success_rate, state.m_ee + state.m_load,
        )  # fmt: skip
        self._say(states.packed(reading))

    def _hear(self) -> None:
        """What else is to be done; whatever takes its time does so in a thread."""
        with suppress(BlockingIOError, OSError):
            while asked := self._driver.recv(256):
                (number,) = struct.unpack_from("<I", asked)
                threading.Thread(target=self._do, args=(number, asked[4:].decode()), daemon=True).start()

    def _do(self, number: int, what: str) -> None:
        try:
            why = "" if what == "recover" and self._recovered() else f"the robot did not {what}"
        except Exception as error:  # whatever the library raises
            why = str(error)
        self._say(states.done(number, why))

    def _recovered(self) -> bool:
        """The library judges by a state that it may have read before the robot had cleared its errors: later ones count."""
        if self.connection.recover_from_errors():
            return True
        until_s = time.monotonic() + _CLEARS_S
        while time.monotonic() < until_s:
            with self.busy:
                left = errors.bits(self.connection.state.current_errors)
            if not left:
                return True
            time.sleep(1 / self.settings.rate_hz)
        return False

    def _say(self, what: bytes) -> None:
        with suppress(OSError):  # nobody is there any more, or nobody takes it
            self._driver.send(what)


class Control:
    """The tracker, once it follows."""

    def __init__(self, robot: Robot, start: tuple[float, ...]) -> None:
        """Raises whatever the library does."""
        import franky

        if robot.connection is None:
            raise RuntimeError("it has not connected yet")
        s, self._robot = robot.settings, robot
        with robot.busy:
            self._tracker = franky.JointImpedanceTracker(robot.connection, stiffness=s.stiffness, damping=s.damping)
        self._track = Track(start, VELOCITY_RAD_S, time.monotonic(), approach.share)
        self._target, self._speed, self._at_s = list(start), [0.0] * len(start), time.monotonic()

    def aim(self, goal: tuple[float, ...], now_s: float) -> None:
        """A new goal."""
        self._track.aim(goal, now_s)

    def cycle(self, now_s: float) -> str:
        """One cycle: the next target, and how fast it moves. Why it does not go on."""
        if not self._tracker.is_running:
            return self._why()
        target = self._track.at(now_s)
        self._speed = smoothed(self._speed, self._target, target, now_s - self._at_s)
        self._target, self._at_s = target, now_s
        self._tracker.set_target(target, self._speed)
        return ""

    def _why(self) -> str:
        """What the library threw when the robot ended the motion."""
        try:
            self._robot.connection.join_motion(0.0)
        except Exception as error:  # ControlException, NetworkException
            return why(str(error))
        return "the robot ended it"

    def end(self) -> None:
        """Let go gently; the robot holds the arm by itself."""
        with suppress(Exception):  # it has ended already
            self._tracker.stop()


def smoothed(speed: Sequence[float], before: Sequence[float], target: Sequence[float], dt_s: float) -> list[float]:
    """How fast the target moves, rad/s. (7,) each."""
    if dt_s <= 0:
        return list(speed)
    return [
        was + _SMOOTHS * ((there - here) / dt_s - was) for was, here, there in zip(speed, before, target, strict=True)
    ]


def why(said: str) -> str:
    """The text of an exception → what is told: the errors that it names, else its own words."""
    line = said.removeprefix("libfranka: ").partition("\n")[0].removesuffix(" []")
    return errors.told(errors.in_text(said))[0] or line


def main() -> None:
    """Take what comes, until nobody is there."""
    settings = Settings(arguments())
    robot = Robot(settings)
    threading.Thread(target=robot.run, name="states", daemon=True).start()
    Process(len(VELOCITY_RAD_S), 1 / COMMAND_HZ, float("inf"), lambda start: Control(robot, start)).run()


if __name__ == "__main__":
    main()
