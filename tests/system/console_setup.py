"""A rig of one's own on a computer that has none: `python -m tests.system.console_setup FOLDER` draws the guide's picture.

Real servo buses behind pseudo-terminals, somebody else's camera, the real command, a real browser.
"""

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos
from station.rig.rig import load_rig, own_rigs
from tests.drivers.vr.browser import Browser
from tests.station.console.page.pages import faults
from tests.system.console_page import Console, Shoot, into, paired, port_of_its_own, press
from tests.system.eye import PATH

FIELD = "document.querySelector('[name=typed]')"


class Bench(NamedTuple):
    """What stands on the table: two arms that a hand moves, and a camera."""

    leader: Path
    follower: Path
    leads: ShaftPlant
    follows: ShaftPlant
    camera: Path


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """Switched on."""
    found = Bench(folder / "ttyLeader", folder / "ttyFollower", ShaftPlant(), ShaftPlant(), folder / "video_high")
    found.camera.write_bytes(_scene())
    with (
        ServoBus(found.leader, aloha_arm_servos("wx250s", "aloha1"), found.leads),
        ServoBus(found.follower, aloha_arm_servos("vx300s", "aloha1"), found.follows),
    ):
        yield found


def _scene() -> bytes:
    """A table with a cube on it."""
    picture = np.full((480, 640, 3), (150, 160, 165), np.uint8)
    cv2.fillPoly(picture, [np.array([(90, 470), (190, 190), (450, 190), (560, 470)])], (70, 110, 150))
    for place, colour in (((330, 300), (40, 40, 190)), ((240, 370), (170, 120, 40))):
        cv2.rectangle(picture, place, (place[0] + 46, place[1] + 46), colour, -1)
    return bytes(cv2.imencode(".jpg", picture)[1])


def journey(on: Bench, shoot: Shoot = lambda _page, _name: None) -> None:
    """Look, be refused a name, name arms by moving them and the camera by its picture, have the file checked, be refused it again."""
    ports = (on.leader, on.follower, on.camera)
    with Console(None, "engineer") as console, paired(console.url) as page:
        page.until("the Set-up page by itself", "return document.querySelector('.setup')")
        page.until(
            "that there is no rig", "return document.querySelector('[role=alert]')?.textContent.includes('no rig yet')"
        )
        write(page, "ports", " ".join(map(str, ports)))
        press(page, "[data-act=find]")
        page.until("two arms and a camera", "return document.querySelectorAll('tr.ok[data-thing]').length === 3")
        shoot(page, "console-setup-found")
        assert faults(page) == []
        write(page, "name", "../lab")
        press(page, "[data-act=new]")
        page.until(
            "a refusal", "return document.querySelector('.told.bad')?.textContent.includes('is no name for a rig')"
        )
        write(page, "name", "lab")
        press(page, "[data-act=new]")

        asked(page, f"{on.leader}, serial none: which side")
        seen(page, "nothing has moved yet")
        on.follows.move_hand(1, math.radians(20))
        seen(page, f"not this one: {on.follower} moved, its waist, 20°")
        on.leads.move_hand(4, math.radians(40))
        seen(page, "this one moved: elbow, 40°")
        shoot(page, "console-setup")
        page.js("document.querySelector('[data-act=answer]').click()")
        asked(page, f"{on.leader}: leader or follower")
        page.js("document.querySelector('[data-answer=leader]').click()")
        asked(page, f"{on.follower}, serial none: which side")
        page.until("the side that is free", f"return {FIELD}.value === 'left'")
        page.js("document.querySelector('[data-act=answer]').click()")
        asked(page, f"{on.follower}: leader or follower")
        page.js("document.querySelector('[data-answer=follower]').click()")

        asked(page, f"{on.camera}, serial E1: its name")
        page.until("its picture", "return document.querySelector('figure.look img')?.naturalWidth === 640")
        shoot(page, "console-setup-camera")
        on.camera.rename(on.camera.with_name("away"))
        seen(page, "no picture of it")
        on.camera.with_name("away").rename(on.camera)
        write(page, "typed", "cam_table")
        page.js("document.querySelector('[data-act=answer]').click()")
        page.until(
            "its end", "return document.querySelector('.setup').textContent.includes('The file of lab is written')"
        )
        shoot(page, "console-setup-written")
        assert [device.node for device in load_rig(own_rigs() / "lab.yaml").devices] == [
            "leader_left", "follower_left", "cam_table",
        ]  # fmt: skip
        check = subprocess.run(
            [sys.executable, "-m", "station.cli", "rig", "check", "lab"], capture_output=True, text=True, check=False
        )
        assert check.returncode == 0, check.stdout + check.stderr
        before = (own_rigs() / "lab.yaml").read_bytes()
        press(page, "[data-act=new]")
        page.until("a refusal", "return document.querySelector('.told.bad')?.textContent.includes('stays as it is')")
        assert (own_rigs() / "lab.yaml").read_bytes() == before


def asked(page: Browser, words: str) -> None:
    """Wait for that question."""
    page.until(words, "return document.querySelector('.job p')?.textContent.includes(arguments[0])", words)


def seen(page: Browser, words: str) -> None:
    """Wait until that is seen."""
    page.until(words, "return document.querySelector('figure.look')?.textContent.includes(arguments[0])", words)


def write(page: Browser, name: str, text: str) -> None:
    """Instead of what stands in that field."""
    field = page.driver.find_element("css selector", f"[name={name}]")
    field.clear()
    field.send_keys(text)


@contextmanager
def of_its_own(folder: Path) -> Iterator[Bench]:
    """A computer that has no rig yet, and somebody's package."""
    own = {"XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": PATH}
    before = {name: os.environ.get(name) for name in (*own, "STATION_RIG")}
    os.environ.pop("STATION_RIG", None)
    os.environ.update(own)
    try:
        with port_of_its_own(folder / "config"), bench(folder) as found:
            yield found
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def main(folder: Path) -> None:
    """The pictures of the guide."""
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as place, of_its_own(Path(place)) as found:
        journey(found, into(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
