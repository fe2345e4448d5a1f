"""The TABLE of what runs. What is not in it does not run; the supervisor makes it true, again and again.

Modules are named by string and imported in the child. Device nodes run `station.devices.serving`, which loads the driver that
the rig file names.
"""

from typing import NamedTuple

from station.rig.rig import Rig


class Process(NamedTuple):
    """One row."""

    node: str
    module: str
    realtime: int
    """SCHED_FIFO priority where the user may have it (systemd's LimitRTPRIO, or root), 0 for the ordinary scheduler."""
    cpu_percent: float
    """Budget of one core, asserted by the boot tests and shown by `station bench`."""
    stage: int
    """Stops in this order (0 first): who records, who commands, the arms (held), the world."""
    simulated: bool = False
    """It stands in for hardware: what it costs is no cost of the station's."""


def processes(rig: Rig) -> tuple[Process, ...]:
    """The rig's table."""
    rows = []
    if rig.world is not None:
        # before everybody: it stands in for hardware, which waits for nobody
        rows.append(Process("world", rig.world.driver.partition(":")[0], 30, 100, 3, simulated=True))
    for device in rig.devices:
        arm = device.role in ("leader", "follower")
        rows.append(Process(device.node, "station.devices.serving", 20 if arm else 5, 20 if arm else 10, 2))
    rows.append(Process("pilot", "station.control.pilot", 20, 15, 1))
    if any(device.role == "vr" for device in rig.devices):
        rows.append(Process("vr_teleop", "station.control.vr_teleop", 15, 25, 1))
        rows.append(Process("vr_panel", "station.console.vr_panel", 0, 15, 0))
    rows.append(Process("synchronizer", "station.sync.synchronizer", 20, 30, 0))
    rows.append(Process("policy", "station.policy.node", 10, 100, 1))
    rows.append(Process("session", "station.session.node", 5, 5, 0))
    return tuple(rows)


COMMANDS = ("replay",)
"""Nodes that are commands of the operator: the supervisor lends them their key while they run."""


STOP_DELAY_S = {0: 0.0, 1: 0.3, 2: 0.6, 3: 1.2}
"""How long a node whose supervisor was killed waits, by stage."""
