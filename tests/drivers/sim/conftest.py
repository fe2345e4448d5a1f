import os
import select
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.sim.servos.servo_bus import ServoBus, ServoSpec
from drivers.sim.servos.shaft import ShaftPlant


class Host:
    """A host that speaks raw bytes."""

    def __init__(self, port: Path) -> None:
        self.fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        settings = termios.tcgetattr(self.fd)
        settings[4] = settings[5] = termios.B1000000
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def say(self, packet: str) -> None:
        os.write(self.fd, bytes.fromhex(packet))

    def hear(self, length: int, wait_s: float = 5.0) -> str:
        heard = b""
        deadline = time.monotonic() + wait_s
        while len(heard) < length and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.01)[0]:
                heard += os.read(self.fd, length - len(heard))
        return heard.hex()

    def silent(self, for_s: float = 0.1) -> bool:
        return not select.select([self.fd], [], [], for_s)[0]


MakeBus = Callable[..., tuple[ServoBus, ShaftPlant, Host]]


@pytest.fixture
def make_bus(tmp_path: Path) -> Iterator[MakeBus]:
    """Starts a bus of the servos given; returns it, its plant, and a host on its port."""
    made: list[tuple[ServoBus, Host]] = []

    def make(*servos: ServoSpec, paced: bool = True) -> tuple[ServoBus, ShaftPlant, Host]:
        plant = ShaftPlant()
        bus = ServoBus(tmp_path / "port", list(servos), plant, paced=paced)
        bus.start()
        host = Host(bus.link)
        made.append((bus, host))
        return bus, plant, host

    yield make
    for bus, host in made:
        os.close(host.fd)
        bus.stop()
