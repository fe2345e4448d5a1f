"""Files and URLs through OpenCV, which has no read that can be interrupted: hence a thread of its own for each file or URL that is opened.

MJPEG is passed through as shot; anything else is decoded and encoded once. Nothing in these sources says when a picture
was taken, so the stamp is its arrival. A server that sends no Content-Length per part is a frame period late: FFmpeg
then finds the end of a picture at the start of the next.
"""

import queue
import threading
from typing import Any

import cv2

from drivers.cameras.jpeg import encode
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Identity, Shot
from station.clock import NS_PER_S, Clock
from station.errors import DeviceMissing, DeviceSilent

OPEN_TIMEOUT_MS = 700
READ_TIMEOUT_MS = 700
_PATIENCE_S = 0.9
_QUEUE = 4
_MJPG = cv2.VideoWriter.fourcc(*"MJPG")


class Capture:
    """One file or URL."""

    def __init__(self, node: str, target: str, settings: OpenCVSettings, clock: Clock) -> None:
        """`target` is where the rig file's source leads; nothing there takes controls, which is said."""
        self.target = target
        self._node, self._name, self._fps, self._clock = node, settings.source, settings.fps, clock
        self._controls = settings.controls.asked()
        self._reader: _Reader | None = None

    def open(self) -> Identity:
        """Start the reader and wait until it has the source open. Raises DeviceMissing where it cannot, DeviceSilent while an earlier
        attempt still hangs.
        """
        if self._reader is not None and self._reader.is_alive():
            raise DeviceSilent(
                self._node,
                self._name,
                "an answer",
                f"the last attempt still waits for {self.target}",
                "check the network and the name",
            )
        self._reader = reader = _Reader(self._node, self.target, self._fps, self._clock)
        reader.start()
        in_time = reader.settled.wait(_PATIENCE_S)
        if not in_time or reader.failed:
            self.close()
            raise DeviceMissing(
                self._node,
                self._name,
                f"a picture source at {self.target}",
                "nothing that OpenCV can open" if in_time else f"no answer within {_PATIENCE_S} s",
                "check that the server runs and the address is right; a file must exist and be a video",
            )
        untaken = ", ".join(control.name for control in self._controls)
        notes = (*reader.notes, f"controls not set, a file or URL has none: {untaken}") if untaken else reader.notes
        return Identity("file" if reader.is_file else "url", notes=notes)

    def grab(self, timeout_s: float) -> Shot | None:
        """The next picture; DeviceSilent once the reader has come to the end of it."""
        reader = self._reader
        if reader is None:
            return None
        ended = not reader.is_alive()
        try:
            return reader.shots.get(timeout=0 if ended else timeout_s)
        except queue.Empty:
            if not ended:
                return None
        raise DeviceSilent(
            self._node,
            self._name,
            f"pictures from {self.target}",
            "the file has ended" if reader.is_file else "the connection ended, or froze",
            "the driver opens it again by itself; check the server if it does not come back",
        )

    def warnings(self, now_ns: int) -> tuple[str, ...]:  # noqa: ARG002
        """None: there are no controls."""
        return ()

    def counts(self) -> dict[str, float]:
        """Pictures that the station was too slow to take."""
        return {"overrun_frames": float(self._reader.overrun)} if self._reader else {}

    def close(self) -> None:
        """Ask the reader to end; a read that hangs ends by its own time-out, and takes the capture with it."""
        if self._reader is not None:
            self._reader.stop.set()
            self._reader.join(_PATIENCE_S)


class _Reader(threading.Thread):
    """Opens, reads and releases one capture; nobody else touches it."""

    def __init__(self, node: str, target: str, fps: float, clock: Clock) -> None:
        super().__init__(name=f"{node} reader", daemon=True)
        self.shots: queue.Queue[Shot] = queue.Queue(_QUEUE)
        self.stop, self.settled = threading.Event(), threading.Event()
        self.failed = False
        self.overrun = 0
        self.is_file = "://" not in target
        self.notes: tuple[str, ...] = ()
        self._target, self._fps, self._clock = target, fps, clock
        self._passthrough = False

    def run(self) -> None:
        capture = self._open()
        try:
            self.failed = not capture.isOpened()
            if not self.failed:
                self._describe(capture)
                self.settled.set()
                if self._skip_stale(capture):
                    self._read_all(capture)
        finally:
            capture.release()
            self.settled.set()

    def _open(self) -> Any:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        limits += [cv2.CAP_PROP_N_THREADS, 1]  # every decoding thread would hold a picture back
        capture = cv2.VideoCapture(self._target, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_FORMAT, -1])
        self._passthrough = capture.isOpened() and int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG
        if capture.isOpened() and not self._passthrough:
            capture.release()  # OpenCV cannot go back from raw packets to pictures
            capture = cv2.VideoCapture(self._target, cv2.CAP_FFMPEG, limits)
        elif not capture.isOpened() and self.is_file:
            capture = cv2.VideoCapture(self._target, cv2.CAP_ANY)
        return capture

    def _describe(self, capture: Any) -> None:
        own_fps = float(capture.get(cv2.CAP_PROP_FPS))
        notes = ["MJPEG passed through" if self._passthrough else "decoded and encoded once as JPEG"]
        if self.is_file and own_fps and abs(own_fps - self._fps) > 0.05 * self._fps:
            notes.append(f"the file was made at {own_fps:g} fps and is played at {self._fps:g}")
        self.notes = tuple(notes)

    def _skip_stale(self, capture: Any) -> bool:
        """Pass over what piled up while FFmpeg probed the stream: the first that had to be waited for is fresh."""
        if self.is_file:
            return True
        for _ in range(int(self._fps)):
            before_ns = self._clock()
            if self.stop.is_set() or not capture.grab():
                return False
            if self._clock() - before_ns > 0.25 * NS_PER_S / self._fps:
                return True
        return True

    def _read_all(self, capture: Any) -> None:
        start_ns = self._clock()
        index = 0
        while not self.stop.is_set() and capture.grab():
            if self.is_file:
                self.stop.wait(max(0.0, (start_ns + index * NS_PER_S / self._fps - self._clock()) / NS_PER_S))
            arrived_ns = self._clock()
            done, picture = capture.retrieve()
            if done:
                self._put(
                    Shot(picture.tobytes() if self._passthrough else encode(picture), arrived_ns, "arrival", None)
                )
            index += 1

    def _put(self, shot: Shot) -> None:
        while True:
            try:
                return self.shots.put_nowait(shot)
            except queue.Full:
                self.overrun += 1
                try:
                    self.shots.get_nowait()
                except queue.Empty:
                    continue
