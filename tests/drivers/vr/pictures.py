"""Draws the pictures of docs/guide/vr.md: `python -m tests.drivers.vr.pictures`.

The page is the driver's own in a headless browser, with the emulated headset; what the cameras see is the simulated
scene. Pictures of a browser differ from machine to machine, so no test compares them.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np

from drivers.sim.world.model import SIDES
from drivers.sim.world.render import View
from drivers.sim.world.scene import START_RAD, Scene
from station.clock import NS_PER_MS, monotonic_ns
from station.devices.headset import Board, Button, Pairing, Picture, pairing_path
from tests.drivers.vr.browser import Browser, browser
from tests.drivers.vr.conftest import free_port, headset
from tests.drivers.vr.exchange import Feed
from tests.pictures import bgr

FOLDER = Path(__file__).parents[3] / "docs" / "guide"
CAMERAS = {
    "cam_high": "top", "cam_low": "front_close", "cam_left_wrist": "left_wrist", "cam_right_wrist": "right_wrist",
}  # fmt: skip
COLOURS = 48
"""Few colours make small files."""
READY = Board(
    "engaged", "", "ready", "cube_handover, ready: 17 saved, 2 discarded",
    (Button("start", "start", "a"), Button("label_success", "last one: success", "y"),
     Button("label_failure", "last one: failure", "x")), ("follower_left", "follower_right"),
)  # fmt: skip
HOLD = Board(
    "hold", "no hand pose for 104 ms", "hold", "cube_handover, hold: 17 saved, 2 discarded",
    (Button("go_on", "go on", "a"),),
)  # fmt: skip


def camera_pictures() -> dict[str, bytes]:
    """What the cameras of the simulated rig see, as JPEG."""
    scene, view = Scene(), View(640, 480)
    for side in SIDES:
        for joint, angle in enumerate(START_RAD):
            scene.set_goal(side, joint, angle)
    scene.step(1000)
    return {name: view.draw(place, scene.qpos()) for name, place in CAMERAS.items()}


def save(page: Browser, name: str) -> None:
    """What the browser shows, with few colours."""
    shot = bgr(page.driver.get_screenshot_as_png())
    pixels = shot.reshape(-1, 3).astype(np.float32)
    colours = np.unique(pixels, axis=0)  # each once: what is small and red stays red
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    cv2.setRNGSeed(0)
    _, _, palette = cv2.kmeans(colours, COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    nearest = np.concatenate([
        np.linalg.norm(part[:, None] - palette[None], axis=2).argmin(axis=1) for part in np.array_split(pixels, 50)
    ])  # fmt: skip
    reduced = palette[nearest].round().astype(np.uint8).reshape(shot.shape)
    cv2.imwrite(str(FOLDER / name), reduced, [cv2.IMWRITE_PNG_COMPRESSION, 9])


async def show(port: int, pictures: dict[str, bytes], board: Board, age_ms: float, look: Callable[[], None]) -> None:
    """Feed the display as the station does, until somebody has looked at it."""
    async with Feed(port) as feed:
        await feed.hear()
        looking = asyncio.create_task(asyncio.to_thread(look))
        while not looking.done():
            for name, jpeg in pictures.items():
                await feed.show(Picture(name, monotonic_ns() - round(age_ms * NS_PER_MS), jpeg))
            await feed.show(board)
            await asyncio.sleep(0.1)
        await looking


def draw(port: int, code: str) -> None:
    """Every picture."""
    address, pictures = f"http://localhost:{port + 1}", camera_pictures()
    with browser() as page:
        page.driver.set_window_size(900, 420)
        page.open(address)
        page.until("the form", "return !document.getElementById('pair').hidden")
        save(page, "vr-pair.png")
        page.driver.set_window_size(900, 1100)
        page.open(f"{address}/#{code}")
        page.linked()
        asyncio.run(show(port, pictures, READY, 20, lambda: look(page, "engaged", "vr-page.png")))
        page.driver.set_window_size(1000, 700)
        page.enter()
        # in a headset nothing of the page is seen, and less of the room at a time
        page.js("for (const each of document.querySelectorAll('header, #paired')) each.style.visibility = 'hidden'")
        page.js("document.documentElement.style.overflow = 'hidden'")
        page.js("operator.device.fovy = 1.25")
        asyncio.run(show(port, pictures, READY, 20, lambda: look(page, "engaged", "vr-headset.png")))
        asyncio.run(show(port, pictures, HOLD, 800, lambda: look(page, "hold", "vr-headset-hold.png")))
        page.open("about:blank")
    with browser("") as phone:
        phone.driver.set_window_size(500, 480)
        phone.open(f"{address}/#{code}")
        phone.linked()
        phone.until("the refusal", "return document.getElementById('refusal').textContent")
        phone.js("document.documentElement.style.overflow = 'hidden'")
        save(phone, "vr-refusal.png")


def look(page: Browser, state: str, name: str) -> None:
    """Save the picture once the board and all panels are shown."""
    page.until(state, "return document.documentElement.dataset.state === arguments[0]", state)
    page.until("panels", "return document.querySelectorAll('[data-panel]').length === arguments[0]", len(CAMERAS))
    page.driver.execute_async_script("setTimeout(arguments[0], 1000)")
    save(page, name)


def main() -> None:
    """The command."""
    with tempfile.TemporaryDirectory(prefix="st-", dir="/tmp") as folder:
        os.environ.update(XDG_RUNTIME_DIR=folder, XDG_CONFIG_HOME=folder)
        driver = headset(free_port())
        driver.open()
        try:
            port = int(driver.describe().serial)
            draw(port, msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing).code)
        finally:
            driver.close()


if __name__ == "__main__":
    main()
