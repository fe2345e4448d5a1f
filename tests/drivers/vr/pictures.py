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

from drivers.sim.render import View
from drivers.sim.scene import SIDES, START_RAD, Scene
from station.clock import NS_PER_MS, monotonic_ns
from station.headset import Board, Button, Pairing, Picture, pairing_path
from tests.drivers.vr.browser import Browser, browser
from tests.drivers.vr.conftest import free_port, headset
from tests.drivers.vr.test_server import Feed

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
    shot = cv2.imdecode(np.frombuffer(page.driver.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR)
    pixels = shot.reshape(-1, 3).astype(np.float32)
    sample = pixels[np.random.default_rng(0).choice(len(pixels), 20_000)]
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    _, _, palette = cv2.kmeans(sample, COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    nearest = np.concatenate([
        np.linalg.norm(part[:, None] - palette[None], axis=2).argmin(axis=1) for part in np.array_split(pixels, 50)
    ])  # fmt: skip
    reduced = palette[nearest].round().astype(np.uint8).reshape(shot.shape)
    cv2.imwrite(str(FOLDER / name), reduced, [cv2.IMWRITE_PNG_COMPRESSION, 9])


async def show(port: int, board: Board, age_ms: float, look: Callable[[], None]) -> None:
    """Feed the display as the station does, and look at it."""
    async with Feed(port) as feed:
        await feed.hear()
        for name, jpeg in camera_pictures().items():
            await feed.show(Picture(name, monotonic_ns() - round(age_ms * NS_PER_MS), jpeg))
        await feed.show(board)
        await asyncio.to_thread(look)


def draw(port: int, code: str) -> None:
    """Every picture that needs the driver."""
    address = f"http://localhost:{port + 1}"
    with browser() as page:
        page.driver.set_window_size(900, 560)
        page.open(address)
        page.until("the form", "return !document.getElementById('pair').hidden")
        save(page, "vr-pair.png")
        page.open(f"{address}/#{code}")
        page.linked()
        asyncio.run(show(port, READY, 20, lambda: look(page, "engaged", "vr-page.png")))
        page.enter()
        asyncio.run(show(port, READY, 20, lambda: look(page, "engaged", "vr-headset.png")))
        asyncio.run(show(port, HOLD, 800, lambda: look(page, "hold", "vr-headset-hold.png")))
        page.open("about:blank")
    with browser("") as phone:
        phone.driver.set_window_size(500, 640)
        phone.open(f"{address}/#{code}")
        phone.linked()
        phone.until("the refusal", "return document.getElementById('refusal').textContent")
        save(phone, "vr-refusal.png")


def look(page: Browser, state: str, name: str) -> None:
    """Save the picture once the board and all panels are shown."""
    page.until(state, "return document.documentElement.dataset.state === arguments[0]", state)
    page.until("panels", "return document.querySelectorAll('[data-panel]').length === arguments[0]", len(CAMERAS))
    page.driver.execute_async_script("setTimeout(arguments[0], 400)")
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
