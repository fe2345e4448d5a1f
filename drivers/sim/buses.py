"""The servo buses of a simulated rig, one per arm, and the faults that can be put on them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from drivers.sim.requests import SetServoFault
from drivers.sim.servo import Plant, ServoSpec
from drivers.sim.servo_bus import ServoBus
from drivers.sim.shaft import aloha_arm_servos
from station.clock import Clock
from station.errors import RequestRefused, RigError
from station.rig import Device, Rig

SWITCH_S = 0.0002
"""Python's switch interval for a world: the buses are threads, and must not wait 5 ms for one another to answer."""


class Arm(NamedTuple):
    """One arm of the rig: its device and the servos it is made of."""

    device: Device
    servos: list[ServoSpec]


def arms(rig: Rig) -> list[Arm]:
    """Every arm of the rig. Raises RigError for one that is no arm of ALOHA's."""
    found = []
    for device in rig.devices:
        if device.role not in ("leader", "follower"):
            continue
        model, generation = getattr(device.settings, "model", None), getattr(device.settings, "generation", None)
        if model not in ("vx300s", "wx250s"):
            raise RigError(
                rig.file,
                f"arms.{device.side}.{device.role}.model",
                f"{model}",
                "a simulated world has vx300s and wx250s",
            )
        found.append(Arm(device, aloha_arm_servos(model, generation or "aloha1")))
    return found


class Buses(dict[str, ServoBus]):
    """The running buses by their arm's node."""

    def set_fault(self, request: SetServoFault) -> None:
        """Do it. Raises RequestRefused for an arm or a servo that does not exist."""
        bus = self.get(request.arm)
        if bus is None:
            raise RequestRefused(f"no arm {request.arm}; there are {', '.join(self)}")
        if request.servo is not None and request.servo not in bus.ids:
            raise RequestRefused(f"{request.arm} has no servo {request.servo}; it has {', '.join(map(str, bus.ids))}")
        ids = bus.ids if request.servo is None else (request.servo,)
        faults = bus.faults
        if request.what == "silence":
            faults.silence(*ids)
        elif request.what == "speak":
            faults.speak(*ids)
        elif request.what == "overload":
            for servo in ids:
                faults.overload(servo)
        elif request.what == "power_loss":
            faults.power_loss(ids)
        elif request.what == "noise":
            faults.noise = request.value
        elif request.what == "unplug":
            faults.unplug()
        else:
            faults.replug()


@contextmanager
def running(found: list[Arm], plant: Callable[[Arm], Plant], clock: Clock) -> Iterator[Buses]:
    """The buses of these arms, from start to stop."""
    buses = Buses()
    try:
        for arm in found:
            bus = ServoBus(Path(arm.device.settings.port), arm.servos, plant(arm), clock)
            bus.start()
            buses[arm.device.node] = bus
        yield buses
    finally:
        for bus in buses.values():
            bus.stop()
