"""A finder of somebody else's package (`eye_plugin`), whose camera is a file: it sees what is in it, and taking it away unplugs it."""

import os
import time
from collections.abc import Generator
from pathlib import Path

from station.errors import DeviceMissing
from station.rig.discovery import Found

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join((str(Path(__file__).with_name("eye_plugin")), str(ROOT)))
"""PYTHONPATH of a process that has it installed."""
FPS = 20


class EyeFinder:
    """Files called `video…`, of the ports that are named."""

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        """One camera a file."""
        eyes = [port for port in ports if Path(port).name.startswith("video") and Path(port).is_file()]
        return [
            Found("camera", "eye", port, port, "E1", (f"JPEG 640×480@{FPS}",),
                  (f"cam_high: {{driver: opencv, source: {port}, width: 640, height: 480, fps: {FPS}}}",))
            for port in eyes
        ]  # fmt: skip

    def pictures(self, found: Found) -> Generator[bytes | None, None, None]:
        """What is in the file, again and again."""
        while True:
            try:
                yield Path(found.port).read_bytes()
            except FileNotFoundError:
                raise DeviceMissing(found.model, found.port, "its file", "none", "put it back") from None
            time.sleep(1 / FPS)
