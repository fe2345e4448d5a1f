"""The Franka Hand in a process of its own: its calls answer when the fingers have arrived, which no target of the arm may wait for.

Told, one JSON message each: `{"id": 1, "do": "home"}`, `{"grip": 0.5}`, `{"grip": null}`. It tells `{"id": 1, "why": ""}` and `{"fingers":
[ns, opening, 1/s, object], "trouble": ""}` (`station.devices.networked.beside`).
"""

import json
import os
import select
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from drivers.franka.fingers import Order, holds, next_order
from station.devices.networked.vendor_process import arguments, message

PERIOD_S = 0.04
_AGAIN_S = 0.5
_STOPS_S = 1.0
_UNHOMED_M = 0.01
"""A hand that was never homed since it has power says that it opens no wider than this."""
_ANY_M = 0.1
"""Whatever lies between the fingers, it is grasped."""


class Hand:
    """One connection to one hand, opened again when it breaks."""

    def __init__(self, driver: socket.socket, address: str, width_m: float, speed_m_s: float, force_n: float) -> None:
        self._driver, self._address, self._width_m = driver, address, width_m
        self._speed_m_s, self._force_n = speed_m_s, force_n
        self._library: Any = None
        self._goal: float | None = None
        self._last: Order | None = None
        self._doing: tuple[Order | None, Any] | None = None
        """What is under way, None for homing, and what says when it is over."""
        self._stopped_s: float | None = None
        """When it was told to end that."""
        self._homes: int | None = None
        self._before: tuple[int, float] | None = None

    def run(self) -> None:
        """Until the driver hangs up."""
        due_s = 0.0
        while True:
            if select.select([self._driver], [], [], max(0.0, due_s - time.monotonic()))[0]:
                if not (told := message(self._driver)):
                    return
                self._take(json.loads(told))
                continue
            due_s = time.monotonic() + PERIOD_S
            try:
                self._cycle()
            except Exception as error:  # whatever the library raises
                self._lost(str(error))
                due_s = time.monotonic() + _AGAIN_S

    def _take(self, asked: dict[str, Any]) -> None:
        if "grip" in asked:
            self._goal = asked["grip"]
            if self._goal is None:
                self._last = None
        elif self._library is None:
            self._say({"id": asked["id"], "why": "the hand does not answer"})
        else:
            self._homes = asked["id"]

    def _cycle(self) -> None:
        if self._library is None:
            self._library = _connected(self._address)
        state = self._library.state
        now_ns, here_m = time.monotonic_ns(), state.width
        self._over()
        if self._homes is not None and self._doing is None:
            self._doing = None, self._library.homing_async()
        widest = state.max_width if state.max_width > _UNHOMED_M else 0.0
        if widest and self._goal is not None:
            self._order(self._goal * widest, here_m)
        under_way = self._doing is not None
        held = holds(here_m, self._last, under_way, bool(state.is_grasped))
        opening = max(0.0, min(1.0, here_m / (widest or self._width_m)))
        before, self._before = self._before, (now_ns, opening)
        since_s = (now_ns - before[0]) / 1e9 if before is not None else 0.0
        velocity = (opening - before[1]) / since_s if before is not None and 0 < since_s < 1 else 0.0
        trouble = "" if widest else "the hand was never homed: it does not know how wide it opens"
        self._say({"fingers": (now_ns, opening, velocity, held), "trouble": trouble})

    def _order(self, goal_m: float, here_m: float) -> None:
        under_way = self._doing[0] if self._doing is not None else None
        if self._doing is not None and under_way is None:  # it is being homed
            return
        order = next_order(goal_m, here_m, under_way, self._last)
        if order is None:
            return
        if self._doing is not None:
            self._stop()
            return
        self._last = order
        if order.grasp:
            over = self._library.grasp_async(order.width_m, self._speed_m_s, self._force_n, _ANY_M, _ANY_M)
        else:
            over = self._library.move_async(order.width_m, self._speed_m_s)
        self._doing = order, over

    def _stop(self) -> None:
        """What is under way ends, and says so; a library whose hand never says so is of no use any more."""
        now_s = time.monotonic()
        if self._stopped_s is None:
            self._stopped_s = now_s
            self._library.stop_async()
        elif now_s - self._stopped_s > _STOPS_S:
            os._exit(1)  # the driver starts another process

    def _over(self) -> None:
        """Is what was under way at its end?"""
        if self._doing is None or not self._doing[1].wait(0.0):
            return
        order, over = self._doing
        self._doing = self._stopped_s = None
        try:
            well = over.get()
        except Exception:  # CommandException: it was stopped, or something is in the way
            well = False
        if order is None and self._homes is not None:
            self._say({"id": self._homes, "why": "" if well else "the hand could not be homed"})
            self._homes = None

    def _lost(self, said: str) -> None:
        self._library = self._doing = self._last = self._stopped_s = None
        if self._homes is not None:
            self._say({"id": self._homes, "why": said})
            self._homes = None
        self._say({"fingers": None, "trouble": f"the hand does not answer ({said.removeprefix('libfranka: ')})"})

    def _say(self, what: dict[str, Any]) -> None:
        with suppress(OSError):  # nobody is there any more: the next look says so
            self._driver.send(json.dumps(what).encode())


def _connected(address: str) -> Any:
    import franky

    return franky.Gripper(address)


def main() -> None:
    """Take what comes, until nobody is there."""
    address, *numbers = arguments()
    driver = socket.socket(fileno=int(sys.argv[1]))
    Hand(driver, address, *map(float, numbers)).run()
    os._exit(0)  # its threads and connections end with it, whatever they are at


if __name__ == "__main__":
    main()
