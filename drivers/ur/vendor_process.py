"""ur_rtde's control interface in a process of its own (`station.devices.networked.vendor_process`).

It has been seen to die of a segmentation fault while it reconnects. The watchdog in the controller is fed from here, with targets or
without; but only while the driver says that it lives.
"""

import time
from contextlib import suppress
from typing import Any

from station.devices.networked.track import Track
from station.devices.networked.vendor_process import Process, arguments, drop_what_is_unsent

JOINTS = 6
_KICK_S = 0.04
"""How often a standing arm's watchdog is fed."""
_STANDS_S = 0.5
"""A target that has stood for so long is not repeated."""
_STOPS_RAD_S2 = 10.0
_SETTLES_S = 0.5
"""A controller may say for so long that its program, just begun, does not run: what is refused meanwhile is asked again."""


class Settings:
    """The process's arguments."""

    def __init__(self, given: list[str]) -> None:
        self.controller_hz, self.address = int(given[0]), given[1]
        self.lookahead_s, self.gain, self.watchdog_hz, self.alive_s = (float(one) for one in given[2:6])
        self.upper = given[6] == "1"
        self.most_rad_s = tuple(float(one) for one in given[7 : 7 + JOINTS])


class Control:
    """The program on the controller, once it runs."""

    def __init__(self, settings: Settings, start: tuple[float, ...]) -> None:
        """Sends the program. Raises whatever the library does."""
        import rtde_control

        interface = rtde_control.RTDEControlInterface
        flags = interface.FLAG_UPLOAD_SCRIPT | (interface.FLAG_UPPER_RANGE_REGISTERS if settings.upper else 0)
        self._library: Any = interface(settings.address, float(settings.controller_hz), flags)
        drop_what_is_unsent()
        if not self._library.setWatchdog(settings.watchdog_hz):
            raise RuntimeError("the controller did not take the watchdog")
        self._settings, self._track = settings, Track(start, settings.most_rad_s, time.monotonic())
        self._period_s = 1 / settings.controller_hz
        self._moved_s = self._fed_s = 0.0
        self._begun_s = time.monotonic()

    def aim(self, goal: tuple[float, ...], now_s: float) -> None:
        """A new goal."""
        self._track.aim(goal, now_s)

    def cycle(self, now_s: float) -> str:
        """One cycle: the next target, or the watchdog's food. Why it does not go on."""
        target = self._track.at(now_s)
        if not self._track.stands:
            self._moved_s = now_s
        if now_s - self._moved_s < _STANDS_S:
            self._fed_s = now_s
            s = self._settings
            went = bool(self._library.servoJ(target, 0.0, 0.0, self._period_s, s.lookahead_s, s.gain))
        elif now_s - self._fed_s < _KICK_S:
            return ""
        else:
            self._fed_s = now_s
            went = bool(self._library.kickWatchdog())
        return "" if went or now_s - self._begun_s < _SETTLES_S else "the controller's program has ended"

    def end(self) -> None:
        """Stop following; the controller holds the arm, and its watchdog ends the program."""
        self._library.servoStop(_STOPS_RAD_S2)


def main() -> None:
    """Take what comes, until nobody is there."""
    settings = Settings(arguments())
    with suppress(ImportError):
        import rtde_control  # noqa: F401  (before anybody waits for it)
    Process(JOINTS, 1 / settings.controller_hz, settings.alive_s, lambda start: Control(settings, start)).run()


if __name__ == "__main__":
    main()
