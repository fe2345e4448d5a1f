"""The driver `mujoco_camera`: a camera in the simulated scene, in a process of its own.

It draws the physics state that the world shares (`state_file`) and stamps each picture with the physics time it shows.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from drivers.sim.world.shares import OPTICS, WELL
from drivers.sim.world.state_file import Snapshot, StateReader
from station.bus.messages import Frame
from station.clock import NS_PER_MS, NS_PER_S, Grid
from station.devices.contract import Description, Place, Reading, StreamDescription
from station.errors import DeviceMissing, DeviceSilent, DeviceWrong

if TYPE_CHECKING:
    from drivers.sim.world.render import View

SILENT_NS = 700 * NS_PER_MS
_POLL_S = 0.02
_UNTOUCHED = int(WELL[OPTICS["focus"]])
_SHARP_AT, _PX_PER_FOCUS = 5, 0.03
"""A lens out of focus blurs by σ px."""
_NICE = 5


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rig file may fix; None leaves it as it is."""

    focus: int | None = None
    """0 to 250, far to near; this lens is sharp at 5."""

    def __post_init__(self) -> None:
        if self.focus is not None and not 0 <= self.focus <= 250:
            raise ValueError("focus is 0 to 250")


class MujocoCameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rig file's keys. `source` is where the world shares its state with this camera."""

    source: str
    view: str
    width: int = 640
    height: int = 480
    fps: float = 15.0
    controls: Controls = Controls()

    def __post_init__(self) -> None:
        if not (16 <= self.width <= 1920 and 16 <= self.height <= 1080):
            raise ValueError("width and height must be 16×16 to 1920×1080 pixels")
        if not 5 <= self.fps <= 60:
            raise ValueError("fps must be 5 to 60")


class MujocoCamera:
    """One camera, pushing."""

    Settings: ClassVar[type[MujocoCameraSettings]] = MujocoCameraSettings
    paced: ClassVar[bool] = False

    def __init__(self, settings: MujocoCameraSettings, place: Place) -> None:
        self._settings, self._place = settings, place
        self._state: StateReader | None = None
        self._view: View | None = None
        self._grid = Grid(0, settings.fps)
        self._number = 0
        self._shown_ns = 0
        self._skipped = 0
        self._focus_before = self._focus_found = _UNTOUCHED
        """What another program had set it to before this one did, and what it has by now."""

    def opens_with(self) -> tuple[str, ...]:
        """The renderer."""
        return ("drivers.sim.world.render",)

    def open(self) -> None:
        """Map the world's state and make a renderer. Raises DeviceMissing without a world, DeviceWrong for a state that is none.

        Drawing takes a processor that a real camera would not: it gives up the priority of the process table, or four
        of them would exhaust what the kernel allows the real-time scheduler, and the arms with them; and a policy that
        thinks goes first.
        """
        if os.sched_getscheduler(0) != os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, 0, _NICE)
        path = Path(self._settings.source)
        try:
            self._state = StateReader(path)
        except OSError as error:
            raise DeviceMissing(
                self._place.node, str(path), "the state a simulated world shares", f"no such file ({error.strerror})",
                "start the rig's world; the driver opens it by itself once it is there",
            ) from error  # fmt: skip
        except ValueError as error:
            raise self._wrong(
                "the state a simulated world shares", str(error), "name the path the world makes"
            ) from error
        try:
            from drivers.sim.world.render import View  # the rig loader reads Settings without MuJoCo

            # before the world is waited for: it takes seconds, in which one that starts controllers comes to life
            self._view = View(self._settings.width, self._settings.height, self._state.scene)
            self._check_view()
            self._await_life()
            self._focus_before = self._focus_found = self._focus_in(self._state.read())
        except BaseException:
            self.close()
            raise
        self._grid, self._number = Grid(self._place.clock(), self._settings.fps), 0

    def describe(self) -> Description:
        """One stream of frames."""
        s = self._settings
        stream = StreamDescription("frame", s.fps, width=s.width, height=s.height)
        return Description("mujoco", f"view {s.view}", "", (stream,))

    def read(self) -> list[Reading]:
        """The next picture; empty when the world has not moved since the last one. Raises DeviceSilent after 0.7 s of that, DeviceMissing
        when it is not open.
        """
        if self._state is None or self._view is None:
            raise DeviceMissing(
                self._place.node, self._settings.source, "an open camera", "a closed one", "open it first"
            )
        self._await_next()
        snapshot = self._state.read()
        if snapshot is None or snapshot.time_ns <= self._shown_ns:
            self._refuse_silence()
            return []
        self._focus_found = self._focus_in(snapshot)
        jpeg = self._view.draw(self._settings.view, snapshot.numbers, self._defocus_px())
        self._shown_ns = snapshot.time_ns
        frame = Frame("jpeg", self._settings.width, self._settings.height, "device")
        return [Reading("frame", snapshot.time_ns, frame, (jpeg,))]

    def health(self) -> dict[str, float]:
        """Pictures that were not drawn because drawing took too long."""
        return {"skipped_frames": float(self._skipped)}

    def warnings(self) -> tuple[str, ...]:
        """Its focus, if somebody has changed it."""
        asked, found = self._settings.controls.focus, self._focus()
        if asked is None or found == asked:
            return ()
        return (f"focus is {found}, {asked} was set: something changed it",)

    def close(self) -> None:
        """Let go of the state and the renderer."""
        if self._view is not None:
            self._view.close()
            self._view = None
        if self._state is not None:
            self._state.close()
            self._state = None

    def _focus_in(self, snapshot: Snapshot | None) -> int:
        if snapshot is None or self._view is None:
            return _UNTOUCHED
        return int(self._view.extras(snapshot.numbers)[OPTICS["focus"]])

    def _focus(self) -> int | None:
        """The lens's focus now: whoever sets it last sets it."""
        if self._focus_found not in (self._focus_before, _UNTOUCHED):
            return self._focus_found
        return self._settings.controls.focus

    def _defocus_px(self) -> float:
        focus = self._focus()
        return 0.0 if focus is None else _PX_PER_FOCUS * abs(focus - _SHARP_AT)

    def _await_next(self) -> None:
        """Sleep to the next point of the camera's own grid; points that have passed are skipped."""
        now_ns = self._place.clock()
        due = max(self._number, self._grid.index_at(now_ns))
        self._skipped += due - self._number
        self._number = due + 1
        time.sleep(max(0, self._grid.time_ns(due) - now_ns) / NS_PER_S)

    def _await_life(self) -> None:
        """The file may be left over from a killed world: wait until its time moves."""
        begin_ns = self._place.clock()
        first = self._state.read() if self._state is not None else None
        while self._state is not None and self._place.clock() - begin_ns < SILENT_NS:
            snapshot = self._state.read()
            if snapshot is not None and (first is None or snapshot.time_ns > first.time_ns):
                self._shown_ns = max(self._shown_ns, snapshot.time_ns - 1)
                return
            time.sleep(_POLL_S)
        raise self._silent("its state has not moved since it was opened")

    def _refuse_silence(self) -> None:
        silent_ns = self._place.clock() - self._shown_ns
        if silent_ns > SILENT_NS:
            raise self._silent(f"its newest state is {silent_ns / NS_PER_S:.1f} s old")

    def _silent(self, found: str) -> DeviceSilent:
        return DeviceSilent(
            self._place.node, self._settings.source, "a world that moves", found,
            "look at the node `world`; the driver reconnects by itself",
        )  # fmt: skip

    def _check_view(self) -> None:
        views = self._view.names if self._view is not None else ()
        if self._settings.view not in views:
            raise self._wrong(
                f"a view of the scene: {', '.join(views)}",
                f"view: {self._settings.view}",
                "correct `view` in the rig file",
            )

    def _wrong(self, expected: str, found: str, do: str) -> DeviceWrong:
        return DeviceWrong(self._place.node, self._settings.source, expected, found, do)
