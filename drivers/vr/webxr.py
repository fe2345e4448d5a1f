"""Driver `webxr`: a headset's browser as the device that holds an operator's hands.

Serves a WebXR page and publishes both hands' poses at the headset's rate. It knows nothing of arms.
"""

import queue
from typing import TYPE_CHECKING, ClassVar

import msgspec

from station.bus.messages import HandPose
from station.devices.contract import Description, Place, Reading, StreamDescription

if TYPE_CHECKING:
    from drivers.vr.server import Server

WAIT_S = 0.2
QUEUED = 256
"""Poses that may wait; more than two seconds of them are of no use."""


class WebXrSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of the rig file's `vr:`."""

    port: int = 8443
    """HTTPS; plain HTTP for a cable is on the next one, on the loopback address only."""
    rate_hz: float = 72.0
    """The headset is asked for this frame rate (72, 80, 90 or 120 on a Quest)."""

    def __post_init__(self) -> None:
        if not 1024 <= self.port <= 65534:
            raise ValueError("port must be 1024 to 65534")
        if not 1 <= self.rate_hz <= 200:
            raise ValueError("rate_hz must be 1 to 200")


class WebXrHeadset:
    """One headset, whichever is paired."""

    Settings: ClassVar[type[WebXrSettings]] = WebXrSettings
    paced: ClassVar[bool] = False

    def __init__(self, settings: WebXrSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._poses: queue.Queue[tuple[HandPose, int]] = queue.Queue(QUEUED)
        self._server: Server | None = None
        self._last_ns = -1
        self._dropped = 0

    def opens_with(self) -> tuple[str, ...]:
        """The page's server."""
        return ("drivers.vr.server",)

    def open(self) -> None:
        """Listen, and write the pairing file that `station vr` prints. Raises DeviceBusy if a port is taken."""
        from drivers.vr.server import Server  # belongs to the extra `vr`

        server = Server(self._place.node, self._settings.port, self._settings.rate_hz, self._place.clock, self._on_pose)
        server.start()
        self._server = server

    def describe(self) -> Description:
        """One stream; the pairing code is not in it, because descriptions are recorded."""
        notes: tuple[str, ...] = ()
        if self._server is not None:
            notes = (f"page: {self._server.urls[0]} (`station vr` shows the pairing code)",)
        stream = StreamDescription("hand_pose", self._settings.rate_hz)
        return Description("webxr", str(self._settings.port), "", (stream,), notes=notes)

    def read(self) -> list[Reading]:
        """The poses that have come; empty when nobody wears the headset."""
        if self._server is not None:
            self._server.check()
        waiting: list[tuple[HandPose, int]] = []
        try:
            waiting.append(self._poses.get(timeout=WAIT_S))
            while True:
                waiting.append(self._poses.get_nowait())
        except queue.Empty:
            pass
        readings = []
        for hands, captured_at_ns in waiting:
            if captured_at_ns > self._last_ns:
                self._last_ns = captured_at_ns
                readings.append(Reading("hand_pose", captured_at_ns, hands))
        return readings

    def health(self) -> dict[str, float]:
        """Operator, clock, and what was refused."""
        numbers = self._server.health() if self._server is not None else {}
        return {**numbers, "dropped": float(self._dropped)}

    def warnings(self) -> tuple[str, ...]:
        """A headset that nobody wears is nothing wrong."""
        return ()

    def close(self) -> None:
        """Close the page."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _on_pose(self, hands: HandPose, captured_at_ns: int) -> None:
        """In the server's thread."""
        try:
            self._poses.put_nowait((hands, captured_at_ns))
        except queue.Full:
            self._dropped += 1
