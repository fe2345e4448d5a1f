"""The driver `opencv`: a V4L2 device, a file or a URL as a stream of JPEG pictures.

Rig file keys: `source` (a device such as /dev/CAM_HIGH or 0, a file, a URL, or a link whose target is a URL), `width`,
`height`, `fps`, `fourcc` (V4L2's pixel format; MJPG where offered if left out) and `controls`. A picture of
another size than the rig file says is refused: a trainer would stretch it in silence.
"""

from typing import ClassVar

from drivers.cameras.inspection import Inspection
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Identity, Source
from drivers.cameras.source_choice import choose_source, is_kernel_device
from station.bus.messages import Frame
from station.clock import NS_PER_MS, NS_PER_S
from station.devices.contract import Description, Place, Reading, StreamDescription
from station.errors import DeviceMissing, DeviceSilent, DeviceWrong

GRAB_TIMEOUT_S = 0.1
SILENT_NS = 700 * NS_PER_MS
FIRST_PICTURE_NS = 3 * NS_PER_S
"""USB cameras take up to seconds from their start to the first picture."""


class OpenCVCamera:
    """One camera, pushing."""

    Settings: ClassVar[type[OpenCVSettings]] = OpenCVSettings
    paced: ClassVar[bool] = False

    def __init__(self, settings: OpenCVSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._source: Source | None = None
        self._identity = Identity("")
        self._last_ns = -1
        self._heard_ns = 0
        self._patience_ns = FIRST_PICTURE_NS
        self._inspection = Inspection()
        self._repeated = 0

    def opens_with(self) -> tuple[str, ...]:
        """OpenCV, and the kernel's structs for a device of its."""
        return ("drivers.cameras.v4l2" if is_kernel_device(self._settings) else "drivers.cameras.capture",)

    def open(self) -> None:
        """Find the source, set its format and controls, start it."""
        self._source = choose_source(self._settings, self._place, self._source)
        try:
            self._identity = self._source.open()
        except BaseException:
            self.close()
            raise
        self._heard_ns, self._patience_ns = self._place.clock(), FIRST_PICTURE_NS

    def describe(self) -> Description:
        """One stream of frames."""
        s = self._settings
        stream = StreamDescription("frame", s.fps, width=s.width, height=s.height)
        about = self._identity
        serial = about.serial or s.source  # its calibration must not be that of every camera without a serial number
        return Description(about.model, serial, about.firmware, (stream,), notes=about.notes, settings=about.controls)

    def read(self) -> list[Reading]:
        """The next picture; empty when none came in 0.1 s, or a torn one. Raises DeviceSilent after 0.7 s without, DeviceMissing when it
        is not open, DeviceWrong for a picture of another size.
        """
        if self._source is None:
            raise DeviceMissing(
                self._place.node, self._settings.source, "an open camera", "a closed one", "open it first"
            )
        shot = self._source.grab(GRAB_TIMEOUT_S)
        jpeg = self._inspection.look(shot.data, self._place.clock()) if shot is not None else None
        if shot is None or jpeg is None:
            self._refuse_silence()
            return []
        self._heard_ns, self._patience_ns = self._place.clock(), SILENT_NS
        if (jpeg.width, jpeg.height) != (self._settings.width, self._settings.height):
            raise DeviceWrong(
                self._place.node,
                self._settings.source,
                f"pictures of {self._settings.width}×{self._settings.height}",
                f"{jpeg.width}×{jpeg.height}",
                "correct width and height in the rig file, or the camera",
            )
        if shot.captured_at_ns <= self._last_ns:
            self._repeated += 1
            return []
        self._last_ns = shot.captured_at_ns
        frame = Frame("jpeg", jpeg.width, jpeg.height, shot.stamp, shot.sequence)
        return [Reading("frame", shot.captured_at_ns, frame, (jpeg.data,))]

    def health(self) -> dict[str, float]:
        """What was lost: torn and repeated ones since the start, the rest since it was last opened."""
        counts = self._source.counts() if self._source else {}
        return {**self._inspection.counts(), "repeated_stamps": float(self._repeated), **counts}

    def warnings(self) -> tuple[str, ...]:
        """Pictures lost with their cause, an orientation taken out, controls that somebody has changed."""
        now_ns = self._place.clock()
        return (*self._inspection.warnings(now_ns), *(self._source.warnings(now_ns) if self._source else ()))

    def close(self) -> None:
        """Let go of the source."""
        if self._source is not None:
            self._source.close()

    def _refuse_silence(self) -> None:
        silent_ns = self._place.clock() - self._heard_ns
        if silent_ns > self._patience_ns:
            torn = self._inspection.torn.recent(self._place.clock())
            raise DeviceSilent(
                self._place.node,
                self._settings.source,
                f"{self._settings.fps:g} pictures a second",
                f"none {'that is whole ' if torn else ''}for {silent_ns / NS_PER_S:.1f} s{torn and f'; {torn}'}",
                "check the cable and the hub; the driver reconnects by itself",
            )
