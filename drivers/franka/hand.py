"""The driver's end of `hand_process`: the Franka Hand. Nothing here waits."""

from typing import Any

from drivers.franka.models import GRIPPERS
from drivers.franka.settings import FrankaSettings
from station.devices.networked.beside import Beside


class Hand(Beside):
    """One process. It does `home`."""

    def __init__(self, settings: FrankaSettings) -> None:
        gripper = settings.gripper
        numbers = (GRIPPERS[gripper.kind].width_m, gripper.speed_m_s, gripper.force_n)
        super().__init__("drivers.franka.hand_process", (settings.address, *numbers), "the hand has not answered yet")

    def _told(self, told: dict[str, Any]) -> None:
        """Nothing else."""
