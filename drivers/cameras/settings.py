"""The rig file's keys of a camera behind `opencv`."""

import msgspec

from drivers.cameras.controls import Controls


class OpenCVSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig file's keys."""

    source: str
    width: int
    height: int
    fps: float
    fourcc: str = ""
    controls: Controls = Controls()

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("source must name a device, a file or a URL")
        if not (16 <= self.width <= 8192 and 16 <= self.height <= 8192):
            raise ValueError("width and height must be 16 to 8192 pixels")
        if not 5 <= self.fps <= 240:
            raise ValueError("fps must be 5 to 240")
        if self.fourcc and len(self.fourcc) != 4:
            raise ValueError("fourcc has four letters, such as MJPG or YUYV")
