"""A controller's states and a gripper's readings as the station's, stamped by the controller's clock, mapped to ours. Pure."""

from typing import NamedTuple, Protocol

from station.bus.messages import ArmState, Vector
from station.clock import NS_PER_S
from station.clock_map import ClockMap
from station.devices.contract import Reading

OBJECT_HZ = 10.0
"""How often an arm says whether its gripper holds something."""
_OBJECT_NS = round(NS_PER_S / OBJECT_HZ)


class Fingers(NamedTuple):
    """One reading of a gripper."""

    at_ns: int
    opening: float
    """0 closed to 1 open."""
    velocity: float
    """1/s."""
    object: bool
    """Has something stopped the fingers?"""


class State(Protocol):
    """One reading of an arm. (D,) each, gripper left out."""

    @property
    def arrived_ns(self) -> int:
        """When it came."""

    @property
    def device_ns(self) -> int | None:
        """When it was taken, by the controller's clock; None where the controller does not say."""

    @property
    def position_rad(self) -> tuple[float, ...]:
        """Where its joints are."""

    @property
    def velocity_rad_s(self) -> tuple[float, ...]:
        """How fast they turn."""

    @property
    def effort(self) -> tuple[float, ...]:
        """In the unit that the driver's `describe()` names."""


class Readings:
    """One arm's, since it was opened."""

    def __init__(self, controller_hz: float, gripped: bool) -> None:
        self.clock = ClockMap()
        self.late = 0
        """States whose time was not believed."""
        self._cycle_ns, self._gripped = round(NS_PER_S / controller_hz), gripped
        self._last_ns = self._told_ns = 0

    def arm(self, state: State, powered: bool, fingers: Fingers | None) -> Reading | None:
        """None where its time is not believed, or the gripper has not been read yet."""
        captured_ns = self._captured_ns(state)
        if captured_ns is None or captured_ns <= self._last_ns or (self._gripped and fingers is None):
            return None
        self._last_ns = captured_ns
        position, velocity, effort = state.position_rad, state.velocity_rad_s, state.effort
        if fingers is None:
            return Reading(
                "arm_state", captured_ns, ArmState(position, velocity, effort, None, None, powered, self._cycle_ns)
            )
        body = ArmState(
            (*position, fingers.opening), (*velocity, fingers.velocity), (*effort, 0.0), fingers.opening, fingers.velocity, powered,
            self._cycle_ns,
        )  # fmt: skip
        return Reading("arm_state", captured_ns, body)

    def _captured_ns(self, state: State) -> int | None:
        if state.device_ns is None:
            return state.arrived_ns
        if not self.clock.observe(state.device_ns, state.arrived_ns):
            self.late += 1
            return None
        return min(self.clock.to_host(state.device_ns), state.arrived_ns)

    def held(self, fingers: Fingers | None, now_ns: int) -> list[Reading]:
        """Whether the gripper holds something, when it is time to say so."""
        due_ns = self._told_ns + _OBJECT_NS
        if fingers is None or now_ns < due_ns:
            return []
        self._told_ns = now_ns if now_ns - due_ns > _OBJECT_NS else due_ns
        return [Reading("vector", now_ns, Vector((float(fingers.object),)))]
