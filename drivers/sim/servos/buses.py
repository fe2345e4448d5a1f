"""The servo buses of a simulated rig, one per arm on a serial port, and the faults that can be put on them."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from drivers.sim.servos.faults import Faults
from drivers.sim.servos.servo import Plant, ServoSpec
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import aloha_arm_servos, gello_servos
from drivers.sim.world.requests import SetServoFault
from station.clock import Clock
from station.errors import RequestRefused, RigError
from station.rig.rig import Device, Rig

SWITCH_S = 0.0002
"""Python's switch interval for a world: the buses are threads, and must not wait 5 ms for one another to answer."""


class Arm(NamedTuple):
    """One arm of the rig: its device and the servos it is made of."""

    device: Device
    servos: list[ServoSpec]


def arms(rig: Rig) -> list[Arm]:
    """Every arm on a port that the world stands in for. Raises RigError for one that it does not know."""
    found = []
    for device in rig.devices:
        if not device.is_arm or not device.simulated or device.networked:
            continue  # no arm, or one that stands somewhere else
        if device.settings.model == "gello":
            found.append(
                Arm(device, gello_servos(device.settings.ids or tuple(range(1, 8)), device.settings.wire_baud))
            )
            continue
        model, generation = getattr(device.settings, "model", None), getattr(device.settings, "generation", None)
        if model not in ("vx300s", "wx250s"):
            raise RigError(
                rig.file,
                f"arms.{device.side}.{device.role}.model",
                f"{model}",
                "a simulated world has vx300s, wx250s and gello",
            )
        found.append(Arm(device, aloha_arm_servos(model, generation or "aloha1")))
    return found


_SWITCHES: dict[str, Callable[[Faults, Iterable[int]], object]] = {
    "silence": lambda faults, ids: faults.silence(*ids),
    "speak": lambda faults, ids: faults.speak(*ids),
    "power_loss": lambda faults, ids: faults.power_loss(ids),
    "unplug": lambda faults, _: faults.unplug(),
    "replug": lambda faults, _: faults.replug(),
}


class FaultyPlant:
    """A plant whose horns can slip on their shafts (the servo then turns where it always did, the arm stands elsewhere), and
    whose shafts can be stopped by something in their way.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.slipped_rad: dict[int, float] = {}
        self.stop_rad: dict[int, float] = {}

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        """What the servo sees of its shaft."""
        position, velocity, current = self._plant.present_rad(servo_id, at_ns)
        position = min(position, self.stop_rad.get(servo_id, math.inf))
        return position + self.slipped_rad.get(servo_id, 0.0), velocity, current

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        """Where the servo's goal puts the arm."""
        goal = None if goal_rad is None else goal_rad - self.slipped_rad.get(servo_id, 0.0)
        goal = None if goal is None else min(goal, self.stop_rad.get(servo_id, math.inf))
        self._plant.drive(servo_id, torque, goal, current_limit_ma)


class Buses(dict[str, ServoBus]):
    """The running buses by their arm's node."""

    def __init__(self) -> None:
        super().__init__()
        self.plants: dict[str, FaultyPlant] = {}

    def set_fault(self, request: SetServoFault) -> None:
        """Do it. Raises RequestRefused for an arm or a servo that does not exist."""
        bus = self.get(request.arm)
        if bus is None:
            raise RequestRefused(f"no arm {request.arm}; there are {', '.join(self)}")
        if request.servo is not None and request.servo not in bus.ids:
            raise RequestRefused(f"{request.arm} has no servo {request.servo}; it has {', '.join(map(str, bus.ids))}")
        ids = bus.ids if request.servo is None else (request.servo,)
        faults = bus.faults
        if request.what == "slip":
            self.plants[request.arm].slipped_rad.update(dict.fromkeys(ids, math.radians(request.value)))
        elif request.what == "stop":
            self.plants[request.arm].stop_rad.update(dict.fromkeys(ids, math.radians(request.value)))
        elif request.what == "register":
            self._set_register(bus, ids, request)
        elif request.what == "noise":
            faults.noise = request.value
        elif request.what == "overload":
            for servo in ids:
                faults.overload(servo)
        else:
            _SWITCHES[request.what](faults, ids)

    def _set_register(self, bus: ServoBus, ids: Iterable[int], request: SetServoFault) -> None:
        for servo in ids:
            try:
                bus.set_register(servo, request.name, int(request.value))
            except KeyError:
                raise RequestRefused(f"a servo has no register {request.name!r}") from None


@contextmanager
def running(found: list[Arm], plant: Callable[[Arm], Plant], clock: Clock) -> Iterator[Buses]:
    """The buses of these arms, from start to stop."""
    buses = Buses()
    try:
        for arm in found:
            faulty = buses.plants[arm.device.node] = FaultyPlant(plant(arm))
            bus = ServoBus(Path(arm.device.settings.port), arm.servos, faulty, clock)
            bus.start()
            buses[arm.device.node] = bus
        yield buses
    finally:
        for bus in buses.values():
            bus.stop()
