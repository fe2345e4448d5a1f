"""An FR3 that franky-sim simulates, in a process of the environment that has it."""

from drivers.sim.franka.environment import command
from tests.drivers.metal import Metal


class FrankySim(Metal):
    """It begins as somebody left it who unlocked its joints and activated FCI, its hand homed."""

    def __init__(self, skew_ppm: float = 0.0) -> None:
        super().__init__("franka")
        self._command = command(self.address, "--skew-ppm", str(skew_ppm))
