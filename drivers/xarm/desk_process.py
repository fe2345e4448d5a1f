"""What is asked of a controller beside the stream of targets, in a process of its own: errors cleared, motors on and off, the gripper.

Apart from the stream, whose connection answers one thing after the other: a gripper on the flange's RS-485 takes 3 to 30 ms, which no
target may wait for. Told, one JSON message each: `{"id": 1, "do": "clean"}`, `{"grip": 0.5}`, `{"grip": null}`. It tells `{"id": 1,
"why": ""}`, `{"serial": …}`, and of the gripper `{"fingers": [ns, opening, 1/s, object], "trouble": ""}`.
"""

import json
import re
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from drivers.xarm import codes
from drivers.xarm.flange import Gripper, LiteGripper, XArmGripper
from drivers.xarm.robotiq import RobotiqGripper
from drivers.xarm.sdk import connect
from station.devices.networked.vendor_process import arguments, message

_ALL_JOINTS = 8
GRIPS: dict[str, Callable[..., Gripper]] = {
    "xarm": XArmGripper, "lite6": LiteGripper, "robotiq_2f85": RobotiqGripper, "robotiq_2f140": RobotiqGripper,
}  # fmt: skip
_PERIOD_S = 0.04
_AGAIN_S = 0.5


class Desk:
    """One connection to one controller, opened again when it breaks."""

    def __init__(self, driver: socket.socket, address: str, port: int, gripper: Gripper | None) -> None:
        self._driver, self._address, self._port, self._gripper = driver, address, port, gripper
        self._commands: Any = None
        self._goal: float | None = None
        self._due_s = 0.0

    def run(self) -> None:
        """Until the driver hangs up."""
        while True:
            wait_s = (
                max(0.0, self._due_s - time.monotonic()) if self._gripper is not None or not self._commands else None
            )
            if select.select([self._driver], [], [], wait_s)[0]:
                if not (told := message(self._driver)):
                    return
                self._take(json.loads(told))
            elif time.monotonic() >= self._due_s:
                self._due_s = time.monotonic() + _PERIOD_S
                self._look()

    def _take(self, asked: dict[str, Any]) -> None:
        if "grip" in asked:
            self._goal = asked["grip"]
            return
        try:
            why = self._do(asked["do"])
        except (ConnectionError, OSError) as error:
            why = str(error)
            self._lost()
        self._say({"id": asked["id"], "why": why})

    def _do(self, what: str) -> str:
        commands = self._connected()
        if what == "clean":
            commands.clean_err()
            return codes.answer(_done(commands.clean_war()[0]))
        if what in ("enable", "disable"):
            return codes.answer(_done(commands.motion_en(_ALL_JOINTS, int(what == "enable"))[0]))
        if what == "set_up_gripper" and self._gripper is not None:
            return self._gripper.set_up(commands)
        return f"nothing is known of {what!r}"

    def _connected(self) -> Any:
        if self._commands is None:
            self._commands = connect(self._address, self._port)
            version = bytes(self._commands.get_version()[1:]).split(b"\0")[0].decode("ascii", "replace")
            found = re.match(r"\s*\d+,\d+,([^,]*),", version)
            self._say({"serial": found.group(1).strip() if found else ""})
        return self._commands

    def _look(self) -> None:
        """The gripper, and for the rest that somebody is there."""
        try:
            commands = self._connected()
            if self._gripper is not None:
                fingers = self._gripper.cycle(commands, self._goal, time.monotonic_ns())
                self._say({"fingers": fingers, "trouble": self._gripper.trouble})
        except (ConnectionError, OSError) as error:
            self._lost()
            self._due_s = time.monotonic() + _AGAIN_S
            if self._gripper is not None:
                self._say({"fingers": None, "trouble": f"the gripper does not answer ({error})"})

    def _lost(self) -> None:
        if self._commands is not None:
            self._commands.arm_port.close()
            self._commands = None

    def _say(self, what: dict[str, Any]) -> None:
        with suppress(OSError):  # nobody is there any more: the next look says so
            self._driver.send(json.dumps(what).encode())


def _done(code: int) -> int:
    """An error or warning that stands is no refusal of a call that is to end it."""
    return 0 if code in (1, 2, 9) else code


def main() -> None:
    """Take what comes, until nobody is there."""
    import os
    import sys

    address, port, kind, *numbers = arguments()
    driver = socket.socket(fileno=int(sys.argv[1]))
    with suppress(ImportError):
        import xarm.core.wrapper  # noqa: F401  (before anybody waits for it)
    gripper = GRIPS[kind](*map(int, numbers)) if kind in GRIPS else None
    Desk(driver, address, int(port), gripper).run()
    os._exit(0)  # its threads and connections end with it, whatever they are at


if __name__ == "__main__":
    main()
