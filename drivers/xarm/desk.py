"""The driver's end of `desk_process`: what is asked of a controller beside targets, and its gripper. Nothing here waits."""

from typing import Any

from drivers.xarm.settings import XArmSettings
from station.devices.networked.beside import Beside

_NOT_YET = "the gripper has not answered yet"


class Desk(Beside):
    """One process. It does `clean`, `enable`, `disable`, `set_up_gripper`."""

    def __init__(self, settings: XArmSettings) -> None:
        s = settings
        self._serial: str | None = None
        self._gripped = s.gripper.kind != "none"
        arguments = (s.address, s.command_port, s.gripper.kind, *s.gripper.numbers)
        super().__init__("drivers.xarm.desk_process", arguments, _NOT_YET)

    def _told(self, told: dict[str, Any]) -> None:
        self._serial = str(told["serial"]) if "serial" in told else self._serial

    @property
    def serial(self) -> str | None:
        """The arm's; "" where its controller names none, None while it has not been asked yet."""
        self.hear()
        return self._serial

    @property
    def unheard(self) -> bool:
        """Has its process not come to look at the gripper yet?"""
        return self._gripped and self.trouble == _NOT_YET

    @property
    def trouble(self) -> str:
        """What is wrong with the gripper; "" if nothing is."""
        return super().trouble if self._gripped else ""
