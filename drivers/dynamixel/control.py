"""Goals, torque and the servos' own watchdog.

Bus Watchdog (register 98, unit 20 ms; ROBOTIS e-manual): any instruction feeds it. If it runs out, the servo stops,
reads −1 (255) there, and its goals are read-only until 0 is written. So after any gap longer than it, or when it reads
−1, the goal that was held is written again before anything else: take the hold goal, write 98 = 0, write that goal,
re-arm, and say so. It waits as long as a silence that ends by itself may last (`resume_ms`): a shorter one would make a
hold of every stall, and meanwhile a servo only goes on to a goal that is one step of the gate away. What a tripped servo
does to its torque has not been seen on hardware; servos of the 330 size are known to go on turning.
"""

import contextlib
import math
from collections.abc import Mapping, Sequence

from drivers.dynamixel.bus import Bus
from drivers.dynamixel.checked_writes import CheckedWrites, Wanted
from drivers.dynamixel.control_table import CURRENT_OR_LOAD, register
from drivers.dynamixel.gentle import GENTLE_SHARE
from drivers.dynamixel.joints import RAD_S_PER_UNIT, Joints, RawState, raw_state
from drivers.dynamixel.settings import DynamixelSettings
from drivers.dynamixel.slow import SlowReader
from station.clock import NS_PER_MS
from station.devices.contract import Place
from station.errors import DeviceError, DeviceSilent

WATCHDOG_UNIT_MS = 20
TRIPPED = 255
_REBOOT_TRIES = 40


class Control:
    """Everything that makes servos move, hold or let go."""

    def __init__(self, bus: Bus, settings: DynamixelSettings, place: Place, joints: Joints, slow: SlowReader) -> None:
        self.bus, self._settings, self._place, self._joints, self._slow = bus, settings, place, joints, slow
        self._checked = CheckedWrites(bus, settings.arm)
        self.trips = 0
        self.present: dict[int, RawState] = {}
        """What bring-up read."""
        self._goal_ticks: dict[int, int] = {}
        self._velocity_limits: dict[int, int] = {}
        self._pwm_limits: dict[int, int] = {}
        self._trip_told = True
        self._armed = False
        self._watchdog = max(1, min(127, math.ceil(place.resume_ms / WATCHDOG_UNIT_MS)))
        self._watchdog_ns = self._watchdog * WATCHDOG_UNIT_MS * NS_PER_MS

    def opened(self, blocks: dict[int, bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Take over an arm as it is: goals from the registers, a tripped watchdog released, velocity limits set.

        Returns notes, and what was put right.
        """
        for servo_id in self._joints.ids:
            block = blocks[servo_id]
            self.present[servo_id] = raw_state(block[CURRENT_OR_LOAD : CURRENT_OR_LOAD + 10])
            self._goal_ticks[servo_id] = self._slow.latest[servo_id].goal_ticks
            self._velocity_limits[servo_id] = register("Velocity Limit").of(block, 0)
            self._pwm_limits[servo_id] = register("PWM Limit").of(block, 0)
        changed: tuple[str, ...] = ()
        if any(self._slow.latest[servo_id].watchdog for servo_id in self._joints.ids):
            # first of all: after a trip no goal register can be written
            self._release_watchdog()
            changed = ("the servos' watchdog was armed or had run out: released, the arm holds the goal it had",)
        return self._prepare(self._joints.ids), changed

    def goal(self, states: Mapping[int, RawState]) -> tuple[float, ...]:
        """By servo: the goal it holds if it has torque, else where it is."""
        ticks = []
        for servo_id in self._joints.ids:
            state = states.get(servo_id, self.present[servo_id])
            held = self._slow.latest[servo_id].torque
            ticks.append(self._goal_ticks[servo_id] if held else state.ticks)
        return tuple(self._joints.position(place, tick) for place, tick in enumerate(ticks))

    def write(self, goal: tuple[float, ...]) -> int:
        """Send a goal in command units; the first arms the watchdog. After a trip goals drop until it was told."""
        if not self._trip_told:
            return self.bus.last_sent_ns
        for place, servo_id in enumerate(self._joints.ids):
            self._goal_ticks[servo_id] = self._joints.ticks(place, goal[place])
        sent_ns = self._send_goal()
        if not self._armed:
            self._arm()
        return sent_ns

    def recover_if_watchdog_expired(self) -> None:
        """After a gap in the writes longer than the watchdog's time-out: it has run out, whatever it reads."""
        if self._armed and self._place.clock() - self.bus.last_sent_ns >= self._watchdog_ns:
            self._recover()

    def check_watchdog(self) -> None:
        """A slow reading has come in: does one read −1?"""
        if self._armed and any(self._slow.latest[servo_id].watchdog == TRIPPED for servo_id in self._slow.latest):
            self._recover()

    @property
    def trip_untold(self) -> bool:
        """There was a trip that nobody has asked about: goals are dropped."""
        return not self._trip_told

    def take_trip(self) -> bool:
        """Was there a trip since this was last asked."""
        told, self._trip_told = self._trip_told, True
        return not told

    def torque_on(self, free: frozenset[int] = frozenset(), gentle: bool = False) -> None:
        """Limp servos: limits and goal := present, then torque. Those that have torque are left as they are, a leader's force aside.

        Servos in `free` go limp, or stay so. At last the watchdog. A handful of transactions for all servos together:
        meanwhile the arm gives no samples, and nobody may take that for silence.
        """
        self._slow.insist_torque()
        limp = [
            servo_id for servo_id in self._joints.ids if servo_id not in free and not self._slow.latest[servo_id].torque
        ]
        self._release_watchdog()
        # whatever fails from here on: a servo that has got torque must never be sent an older goal
        goals = self._present_as_goals(limp)
        self._goal_ticks |= goals
        self._checked.write({**self._limits(limp), **self._force(free, gentle), "Goal Position": goals})
        self._switch({**dict.fromkeys(free, 0), **dict.fromkeys(limp, 1)})
        item = register("Goal Position")
        for servo_id, block in self.bus.read_all(limp, item.address, item.size).items():
            self._goal_ticks[servo_id] = item.of(block, item.address)
        self._arm()

    def torque_off(self) -> None:
        """Limp."""
        self._disarm()
        self._switch(dict.fromkeys(self._joints.ids, 0))

    def reboot(self, ids: list[int]) -> None:
        """Restart these servos and set again what lives in RAM; they stay limp. Raises DeviceSilent for one that does not come back."""
        for servo_id in ids:
            self.bus.reboot(servo_id)
        for servo_id in ids:
            if not any(self.bus.ping(servo_id) is not None for _ in range(_REBOOT_TRIES)):
                raise DeviceSilent(
                    self._place.node, self._settings.port, f"servo {servo_id} back after its reboot", "silence",
                    "switch the arm's power off and on, arm supported",
                )  # fmt: skip
        self._prepare([servo_id for servo_id in ids if servo_id in self._joints.ids])
        for servo_id in self._slow.latest:
            self._slow.insist(servo_id)

    def close(self) -> None:
        """Disarm, let go of the port."""
        with contextlib.suppress(DeviceError):
            self._disarm()
        self.bus.close()

    def _prepare(self, ids: Sequence[int]) -> tuple[str, ...]:
        """What a follower's servos need in RAM. Returns a note about it."""
        if self._place.role != "follower":
            return ()
        limits = self._limits(ids)
        self._checked.write(limits)
        slowest = min(limits["Profile Velocity"].values(), default=0)
        return (f"Profile Velocity {slowest} ({slowest * RAD_S_PER_UNIT:.2f} rad/s): ALOHA's own is 0, unlimited",)

    def _limits(self, ids: Sequence[int]) -> Wanted:
        """Profile Velocity at the rig's limit, for whatever has torque; a follower's gripper's Goal Current."""
        velocity = max(1, math.floor(self._place.velocity_rad_s / RAD_S_PER_UNIT))
        limits = {
            "Profile Velocity": {servo_id: min(velocity, self._velocity_limits[servo_id]) for servo_id in ids},
            "Profile Acceleration": dict.fromkeys(ids, 0),
        }
        gripper = self._joints.ids[-1]
        if self._place.role == "follower" and gripper in ids:
            limits["Goal Current"] = {gripper: self._settings.gripper_current_limit}
        return limits

    def _force(self, free: frozenset[int], gentle: bool) -> Wanted:
        """A leader's Goal PWM: how much of its voltage a servo may use in any mode, so how hard it can push where a hand stops it."""
        if self._place.role != "leader":
            return {}
        share = GENTLE_SHARE if gentle else 1.0
        ids = (servo_id for servo_id in self._joints.ids if servo_id not in free)
        return {"Goal PWM": {servo_id: math.floor(share * self._pwm_limits[servo_id]) for servo_id in ids}}

    def _present_as_goals(self, ids: Sequence[int]) -> dict[int, int]:
        """Where these servos are, within their position limits, ticks."""
        item = register("Present Position")
        goals = {}
        for servo_id, block in self.bus.read_all(ids, item.address, item.size).items():
            ticks = item.of(block, item.address)
            low, high = self._joints.servos[self._joints.ids.index(servo_id)].limits_ticks or (ticks, ticks)
            goals[servo_id] = max(low, min(high, ticks))
        return goals

    def _switch(self, torque: dict[int, int]) -> None:
        """Torque Enable of these servos. However that ends, what is known of the torque afterwards is fresh."""
        try:
            self._checked.write({"Torque Enable": torque})
        finally:
            self._slow.insist_torque()

    def _recover(self) -> None:
        self.trips += 1
        self._trip_told = False
        self._release_watchdog()
        self._arm()

    def _release_watchdog(self) -> None:
        self._disarm()
        if self._any_torque():
            self._send_goal()

    def _arm(self) -> None:
        self._set_watchdog(self._watchdog)
        self._armed = True

    def _disarm(self) -> None:
        self._armed = False
        self._set_watchdog(0)

    def _set_watchdog(self, value: int) -> None:
        self.bus.sync_write(
            register("Bus Watchdog").address, {servo_id: bytes((value,)) for servo_id in self._joints.ids}
        )
        for servo_id, slow in self._slow.latest.items():
            self._slow.latest[servo_id] = slow._replace(watchdog=value)

    def _send_goal(self) -> int:
        item = register("Goal Position")
        return self.bus.sync_write(
            item.address, {servo_id: item.bytes(ticks) for servo_id, ticks in self._goal_ticks.items()}
        )

    def _any_torque(self) -> bool:
        return any(slow.torque for slow in self._slow.latest.values())
