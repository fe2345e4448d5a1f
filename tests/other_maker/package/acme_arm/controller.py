"""What stands for the metal: `python -m acme_arm.controller ADDRESS PORT [SKEW_PPM]`. JSON lines over TCP, at 100 Hz, by its own clock.

It keeps its motors on or off, and its goal, whoever comes and goes. Lines on its standard input are the pendant.
"""

import json
import os
import selectors
import socket
import sys
import time
from typing import Any

RATE_HZ = 100
SPEED_RAD_S = 3.0
JOINTS = 7
WIDTH_M = 0.1


class Controller:
    """Eight axes that go to their goals."""

    def __init__(self, skew_ppm: float) -> None:
        self._begun_s, self._skew = time.monotonic(), 1 + skew_ppm / 1e6
        self.position = [0.0, -0.4, 0.0, 1.2, 0.0, 0.8, 0.0, WIDTH_M / 2]
        self.goal = list(self.position)
        self.on, self.mode = False, "running"

    def tick(self, dt_s: float) -> None:
        """Go on for so long."""
        if not self.on or self.mode != "running":
            return
        for axis, (here, there) in enumerate(zip(self.position, self.goal, strict=True)):
            step = SPEED_RAD_S * dt_s
            self.position[axis] = here + max(-step, min(step, there - here))

    def state(self) -> dict[str, Any]:
        """One report."""
        seconds = 1000.0 + (time.monotonic() - self._begun_s) * self._skew
        torque = [round(5.0 + axis / 10, 3) for axis in range(JOINTS)] if self.on else [0.0] * JOINTS
        return {"t_s": seconds, "q": self.position, "tau": torque, "on": self.on, "mode": self.mode, "goal": self.goal}

    def do(self, told: dict[str, Any]) -> None:
        """A command of the driver's, or of the pendant's."""
        what = told["do"]
        if what == "goal" and self.on and self.mode == "running":
            self.goal = list(told["q"])
        elif what == "power":
            self.on = bool(told["on"])
            self.goal = list(self.position)
        elif what in ("stop", "guide"):
            self.mode = {"stop": "protective_stop", "guide": "guiding"}[what]
        elif what in ("clear", "end_guide"):
            self.mode, self.goal = "running", list(self.position)
        elif what == "push":
            self.position[0] += told["rad"]


def main(address: str, port: str, skew_ppm: str = "0") -> None:
    """Serve whoever connects, until the pendant hangs up."""
    controller, clients = Controller(float(skew_ppm)), {}
    listening = socket.create_server((address, int(port)))
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    selector.register(sys.stdin.buffer.fileno(), selectors.EVENT_READ)
    print("ready", flush=True)
    pendant, due_s = b"", time.monotonic()
    while True:
        for key, _ in selector.select(max(0.0, due_s - time.monotonic())):
            if key.fileobj is listening:
                client, _ = listening.accept()
                client.setblocking(False)
                clients[client] = b""
                selector.register(client, selectors.EVENT_READ)
            elif key.fileobj in clients:
                _hear(controller, clients, selector, key.fileobj)
            else:
                got = os.read(sys.stdin.fileno(), 4096)
                if not got:
                    return
                *lines, pendant = (pendant + got).split(b"\n")
                for line in lines:
                    controller.do(json.loads(line))
        if time.monotonic() >= due_s:
            due_s = max(due_s + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
            controller.tick(1 / RATE_HZ)
            report = json.dumps(controller.state()).encode() + b"\n"
            for client in list(clients):
                _send(clients, selector, client, report)


def _hear(controller: Controller, clients: dict[Any, bytes], selector: Any, client: Any) -> None:
    try:
        got = client.recv(65536)
    except OSError:
        got = b""
    if not got:
        _gone(clients, selector, client)
        return
    *lines, clients[client] = (clients[client] + got).split(b"\n")
    for line in lines:
        controller.do(json.loads(line))


def _send(clients: dict[Any, bytes], selector: Any, client: Any, report: bytes) -> None:
    try:
        client.sendall(report)
    except OSError:
        _gone(clients, selector, client)


def _gone(clients: dict[Any, bytes], selector: Any, client: Any) -> None:
    selector.unregister(client)
    del clients[client]
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
