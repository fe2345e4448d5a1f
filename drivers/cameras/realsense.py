"""The driver `realsense`: colour as JPEG, encoded once, and on request depth as raw uint16 millimetres, each as the
camera took it (not aligned to each other).

Capture times are the camera's hardware clock mapped to the host's. The SDK's own mapping (global time) is switched off:
it fits to the wall clock, which may be set while recording. Where the kernel lacks the metadata patch there is no
hardware clock, and the stamp is the picture's arrival; `status` shows which it is.
"""

import contextlib
from typing import ClassVar, Literal

import msgspec

from drivers.cameras.jpeg import encode
from drivers.cameras.realsense_sensor import About, Bus, Camera, Kind, Raw, SdkBus, SdkMissing, SensorFailed, Wanted
from drivers.cameras.realsense_stamps import Stamps
from station.bus.messages import Frame
from station.clock import NS_PER_MS, NS_PER_S
from station.devices.contract import Description, Place, Reading, StreamDescription
from station.errors import DeviceBusy, DeviceError, DeviceMissing, DeviceSilent, DeviceWrong

NEXT_TIMEOUT_S = 0.1
SILENT_NS = 700 * NS_PER_MS
FIRST_PICTURE_NS = 3 * NS_PER_S
RESET_UNSEEN_NS = 4 * NS_PER_S
"""A camera that was not seen to vanish by now has been and come back between two looks."""
DEPTH_UNIT_M = 0.001
_CONTROLS = {
    "enable_auto_exposure": "exposure_auto", "exposure": "exposure", "gain": "gain",
    "enable_auto_white_balance": "white_balance_auto", "white_balance": "white_balance",
}  # fmt: skip
"""Options of librealsense, and what they are called here."""
_STREAM: dict[Kind, str] = {"color": "frame", "depth": "depth"}


class RealSenseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig file's keys. `exposure` in µs, `white_balance` in kelvin, `gain` as is; left out: automatic."""

    serial: str
    width: int
    height: int
    fps: int
    depth: bool = False
    exposure: float | None = None
    gain: float | None = None
    white_balance: float | None = None
    reset: bool = True
    """Restart the camera when the station starts, and after it froze."""

    def __post_init__(self) -> None:
        if not self.serial:
            raise ValueError("serial must be the camera's (`station find` shows it)")
        if not (16 <= self.width <= 8192 and 16 <= self.height <= 8192):
            raise ValueError("width and height must be 16 to 8192 pixels")
        if not all(0 <= (value or 0) <= 1e6 for value in (self.exposure, self.gain, self.white_balance)):
            raise ValueError("exposure (µs), gain and white_balance (K) must be numbers from 0 to 1000000")
        if not 5 <= self.fps <= 90:
            raise ValueError("fps must be 5 to 90")


class RealSenseCamera:
    """One camera, pushing."""

    Settings: ClassVar[type[RealSenseSettings]] = RealSenseSettings
    paced: ClassVar[bool] = False

    def __init__(self, settings: RealSenseSettings, place: Place, bus: Bus | None = None) -> None:
        self._settings, self._place = settings, place
        self._bus: Bus = bus or SdkBus()
        self._camera: Camera | None = None
        self._about = About(settings.serial, "", "", "")
        self._notes: list[str] = []
        self._controls: dict[str, int] = {}
        """As they were read back, by the names that a rig file's `controls` have."""
        self._reset_due = settings.reset
        self._reset_at_ns: int | None = None
        self._seen_gone = False
        self._stamps: dict[Kind, Stamps] = {}
        self._heard_ns: dict[Kind, int] = {}
        self._patience_ns = FIRST_PICTURE_NS
        self._bad_stamps = self._lost = 0

    def opens_with(self) -> tuple[str, ...]:
        """The vendor's library."""
        return ("pyrealsense2",)

    def open(self) -> None:
        """Find it, restart it once, set its options, start its streams.

        While it restarts every attempt raises DeviceMissing and says so: nobody waits inside. So do a camera that is not there and an SDK
        that is not installed.
        """
        try:
            self._camera = camera = self._find()
            self._about = camera.about
            self._notes = self._set_options(camera)
            camera.start(self._wanted())
        except SdkMissing as error:
            raise DeviceMissing(
                self._place.node,
                self._settings.serial,
                "the RealSense SDK",
                str(error),
                "install the extra `realsense` (pip) and libusb-1.0-0 (system)",
            ) from error
        except SensorFailed as error:
            self.close()
            raise self._explain(error) from error
        now_ns = self._place.clock()
        self._stamps = {want.kind: Stamps() for want in self._wanted()} if not self._stamps else self._stamps
        for stamps in self._stamps.values():
            stamps.reopened()
        self._heard_ns = dict.fromkeys(self._stamps, now_ns)
        self._patience_ns = FIRST_PICTURE_NS

    def describe(self) -> Description:
        """One stream of frames, and one of depth if asked for."""
        streams = tuple(
            StreamDescription(_STREAM[want.kind], want.fps, width=want.width, height=want.height)
            for want in self._wanted()
        )
        return Description(
            self._about.model,
            self._about.serial,
            self._about.firmware,
            streams,
            notes=(f"USB {self._about.usb}", *self._notes),
            settings=self._controls,
        )

    def read(self) -> list[Reading]:
        """The next picture of either stream; empty when none came in 0.1 s or its stamp made no sense."""
        if self._camera is None:
            raise self._missing("an open camera", "a closed one", "open it first")
        try:
            raw = self._camera.next(NEXT_TIMEOUT_S)
        except SensorFailed as error:
            raise self._silent(str(error)) from error
        now_ns = self._place.clock()
        if raw is not None:
            self._heard_ns[raw.kind] = now_ns
        self._refuse_silence(now_ns)
        return [] if raw is None else self._reading(raw, now_ns)

    def health(self) -> dict[str, float]:
        """What was lost, and the clocks' drift."""
        color = self._stamps.get("color")
        return {
            "lost_frames": float(self._lost),
            "bad_stamps": float(self._bad_stamps),
            "clock_drift_ppm": color.map.drift_ppm if color else 0.0,
            "clock_restarts": float(color.map.restarts) if color else 0.0,
        }

    def warnings(self) -> tuple[str, ...]:
        """That the camera's own clock is not to be had."""
        if any(stamps.by_arrival for stamps in self._stamps.values()):
            return ("no hardware clock (kernel without RealSense metadata): stamped on arrival",)
        return ()

    def close(self) -> None:
        """Stop the streams."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _find(self) -> Camera:
        serial, now_ns = self._settings.serial, self._place.clock()
        present = [about.serial for about in self._bus.connected()]
        if self._reset_at_ns is not None:
            self._seen_gone |= serial not in present
            if serial not in present or not (self._seen_gone or now_ns - self._reset_at_ns > RESET_UNSEEN_NS):
                raise self._missing(
                    "the camera back",
                    f"it is restarting, for {(now_ns - self._reset_at_ns) / NS_PER_S:.0f} s",
                    "wait; it takes about 5 s",
                )
            self._reset_at_ns = None
        camera = self._bus.connect(serial)
        if camera is None:
            raise self._missing(
                "that camera",
                f"only {', '.join(present)}" if present else "no RealSense",
                "check the cable (USB 3) and the serial (`station find`)",
            )
        if self._reset_due:
            camera.reset()
            self._reset_due, self._seen_gone, self._reset_at_ns = False, False, now_ns
            raise self._missing("the camera back", "it has just been restarted", "wait; it takes about 5 s")
        return camera

    def _wanted(self) -> list[Wanted]:
        s = self._settings
        kinds: list[Kind] = ["color", "depth"] if s.depth else ["color"]
        return [Wanted(kind, s.width, s.height, s.fps) for kind in kinds]

    def _set_options(self, camera: Camera) -> list[str]:
        """Automatics first. Returns what did not take, and what was left automatic."""
        s, notes = self._settings, []
        options: list[tuple[str, float]] = [("global_time_enabled", 0)]
        if s.depth:
            options.append(("depth_units", DEPTH_UNIT_M))
        options.append(("enable_auto_exposure", int(s.exposure is None)))
        options += [("exposure", s.exposure)] if s.exposure is not None else []
        options += [("gain", s.gain)] if s.gain is not None else []
        options.append(("enable_auto_white_balance", int(s.white_balance is None)))
        options += [("white_balance", s.white_balance)] if s.white_balance is not None else []
        self._controls = {}
        for name, value in options:
            found = camera.set_option(name, value)
            if found is not None and name in _CONTROLS:
                self._controls[_CONTROLS[name]] = round(found)
            if found is None and (name in ("exposure", "gain", "white_balance", "depth_units")):
                notes.append(f"{name} did not take {value:g}: this camera has no such option")
            elif found is not None and abs(found - value) > 0.01 * abs(value):
                notes.append(f"{name} did not take {value:g}: it reads {found:g}")
        notes += ["exposure is automatic"] if s.exposure is None else []
        notes += ["white balance is automatic"] if s.white_balance is None else []
        return notes

    def _reading(self, raw: Raw, now_ns: int) -> list[Reading]:
        self._patience_ns = SILENT_NS
        s, stamps = self._settings, self._stamps[raw.kind]
        if raw.pixels.shape[:2] != (s.height, s.width):
            raise DeviceWrong(
                self._place.node,
                s.serial,
                f"pictures of {s.width}×{s.height}",
                f"{raw.pixels.shape[1]}×{raw.pixels.shape[0]}",
                "correct the rig file",
            )
        self._lost += stamps.lost(raw.number)
        captured_at_ns = stamps.captured_at_ns(raw, now_ns)
        if captured_at_ns is None:
            self._bad_stamps += 1
            return []
        depth = raw.kind == "depth"
        data = raw.pixels.astype("<u2", copy=False).tobytes() if depth else encode(raw.pixels)
        stamp: Literal["arrival", "device"] = "arrival" if stamps.by_arrival else "device"
        frame = Frame("z16" if depth else "jpeg", s.width, s.height, stamp, raw.number)
        return [Reading(_STREAM[raw.kind], captured_at_ns, frame, (data,))]

    def _refuse_silence(self, now_ns: int) -> None:
        for kind, heard_ns in self._heard_ns.items():
            if now_ns - heard_ns > self._patience_ns:
                raise self._silent(f"no {kind} for {(now_ns - heard_ns) / NS_PER_S:.1f} s")

    def _silent(self, found: str) -> DeviceError:
        self._reset_due = self._settings.reset
        return DeviceSilent(
            self._place.node,
            self._settings.serial,
            f"{self._settings.fps} pictures a second",
            found,
            "check the cable; the driver reconnects by itself",
        )

    def _missing(self, expected: str, found: str, do: str) -> DeviceError:
        return DeviceMissing(self._place.node, self._settings.serial, expected, found, do)

    def _explain(self, error: SensorFailed) -> DeviceError:
        s, node = self._settings, self._place.node
        present = False
        with contextlib.suppress(SensorFailed):
            present = any(about.serial == s.serial for about in self._bus.connected())
        if not present:
            return self._missing("that camera", f"it left while it was opened ({error})", "check the cable")
        if "busy" in str(error).lower():
            return DeviceBusy(
                node, s.serial, "a camera nobody uses", str(error), "close the other program (realsense-viewer, ROS)"
            )
        do = "correct the rig file; use a USB 3 port and cable"
        return DeviceWrong(node, s.serial, f"{s.width}×{s.height} at {s.fps} fps", str(error), do)
