"""A controller's states and a gripper's readings as the station's, stamped by the controller's clock, mapped to ours. Pure."""

from drivers.ur import conditions
from drivers.ur.description import OBJECT_HZ
from drivers.ur.robotiq import Fingers
from drivers.ur.rtde import State
from station.bus.messages import ArmState, Vector
from station.clock import NS_PER_S
from station.clock_map import ClockMap
from station.devices.contract import Reading

_OBJECT_NS = round(NS_PER_S / OBJECT_HZ)


class Readings:
    """One arm's, since it was opened."""

    def __init__(self, controller_hz: float, gripped: bool) -> None:
        self.clock = ClockMap()
        self.late = 0
        """States whose time was not believed."""
        self._cycle_ns, self._gripped = round(NS_PER_S / controller_hz), gripped
        self._last_ns = self._told_ns = 0

    def arm(self, state: State, fingers: Fingers | None) -> Reading | None:
        """None where its time is not believed, or the gripper has not been read yet."""
        device_ns = round(state.clock_s * NS_PER_S)
        if not self.clock.observe(device_ns, state.arrived_ns):
            self.late += 1
            return None
        captured_ns = min(self.clock.to_host(device_ns), state.arrived_ns)
        if captured_ns <= self._last_ns or (self._gripped and fingers is None):
            return None
        self._last_ns = captured_ns
        position, velocity, effort = state.position_rad, state.velocity_rad_s, state.current_a
        powered = conditions.powered(state)
        if fingers is None:
            return Reading(
                "arm_state", captured_ns, ArmState(position, velocity, effort, None, None, powered, self._cycle_ns)
            )
        body = ArmState(
            (*position, fingers.opening), (*velocity, fingers.velocity), (*effort, 0.0), fingers.opening, fingers.velocity, powered,
            self._cycle_ns,
        )  # fmt: skip
        return Reading("arm_state", captured_ns, body)

    def held(self, fingers: Fingers | None, now_ns: int) -> list[Reading]:
        """Whether the gripper holds something, when it is time to say so."""
        due_ns = self._told_ns + _OBJECT_NS
        if fingers is None or now_ns < due_ns:
            return []
        self._told_ns = now_ns if now_ns - due_ns > _OBJECT_NS else due_ns
        return [Reading("vector", now_ns, Vector((float(fingers.object),)))]
