"""The simulated rig, calibrated, with one fault at a time: what the check makes of it.

`python -m tests.calibration.faulty_rig` prints the table of docs/calibration.md; with words, only faults whose name has one
of them. It boots a rig: run nothing beside it.
"""

import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from calibration import board as boards
from calibration import checks_arms, checks_cameras
from calibration.motion import Lags, swing
from calibration.survey import Survey, survey
from drivers.sim.requests import SetCameraFault, SetServoFault, SwingArms
from drivers.sim.scene import Scene
from station import calibration_files, check_results
from station.bus.requests import Disengage, Engage
from station.bus.sockets import Asker
from station.calibration_files import Extrinsics, Intrinsics, Made
from station.check_results import Finding
from station.clock import monotonic_ns
from station.errors import RequestRefused
from station.rig import SHIPPED, Rig, load_rig

ENVIRONMENT = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
LISTEN_S = 2.5
SETTLE_S = 0.7
"""A few pictures, so that the ones surveyed are of the new world."""
LOADED = ("bus rate", "serial latency", "failed readings", "frame rate", "frame jitter", "servos", "state")
"""What this computer's load decides too: left out, but for the fault that is meant."""
Key = tuple[str, str]


class Fault(NamedTuple):
    """One thing that is wrong, and what the check has to say about it."""

    name: str
    requests: tuple[SetServoFault | SetCameraFault, ...]
    undo: tuple[SetServoFault | SetCameraFault, ...]
    expected: dict[Key, tuple[float, float]]
    """(device, finding) → (its size, how far off that may be); NaN where it has none."""
    may: frozenset[Key] = frozenset()
    """What follows from it and may be told as well."""
    reopens: str = ""
    """The device that has to be opened anew to notice."""


def _slip(arm: str, servo: int, joint: str, degrees: float) -> Fault:
    side = arm.partition("_")[2]
    pair = (f"leader_{side}, follower_{side}", f"leader against follower {joint}")
    size = (abs(degrees), 0.15)
    return Fault(
        f"{arm}: {joint} slipped by {degrees:g}°",
        (SetServoFault(arm, "slip", servo, degrees),),
        (SetServoFault(arm, "slip", servo, 0.0),),
        {(arm, f"zero {joint}"): size, pair: size},
    )


def _register(arm: str, servo: int, name: str, value: int, what: str) -> Fault:
    plug = (SetServoFault(arm, "unplug"), SetServoFault(arm, "replug"))
    return Fault(
        f"{arm}: {what}",
        (SetServoFault(arm, "register", servo, value, name), *plug),
        plug,
        {(arm, "settings"): (math.nan, 0.0)},
        reopens=arm,
    )


def _moved(camera: str, what: str, value: float) -> Fault:
    unit = {"move": "mm", "turn": "°"}[what]
    name = {"move": "place, if it shifted", "turn": "direction, if it turned"}[what]
    both = {(camera, "place, if it shifted"), (camera, "direction, if it turned")}
    how = {"move": "moved", "turn": "turned"}[what]
    return Fault(
        f"{camera}: {how} by {value:g} {unit}",
        (SetCameraFault(camera, what, value),),  # type: ignore[arg-type]
        (SetCameraFault(camera, "none"),),
        {(camera, name): (value, (0.4 if (camera, what) == ("cam_low", "move") else 0.15) * value)},
        frozenset(both),
    )


def _picture(what: str, value: float, name: str, size: tuple[float, float], told: str) -> Fault:
    return Fault(
        f"cam_high: {told}", (SetCameraFault("cam_high", what, value),), (SetCameraFault("cam_high", "none"),),  # type: ignore[arg-type]
        {("cam_high", name): size},
    )  # fmt: skip


FAULTS = (
    _slip("follower_left", 7, "wrist_angle", 1.0),
    _slip("follower_left", 7, "wrist_angle", -3.0),
    _slip("follower_left", 7, "wrist_angle", 90.0),
    _slip("leader_right", 6, "forearm_roll", 2.0),
    *(_moved(camera, "move", mm) for camera in ("cam_high", "cam_low") for mm in (3.0, 5.0, 20.0)),
    *(_moved(camera, "turn", degrees) for camera in ("cam_high", "cam_low") for degrees in (0.5, 2.0)),
    Fault(
        "cam_high and cam_low swapped",
        (SetCameraFault("cam_high", "swap", other="cam_low"), SetCameraFault("cam_low", "swap", other="cam_high")),
        (SetCameraFault("cam_high", "none"), SetCameraFault("cam_low", "none")),
        {("cam_high", "identity"): (math.nan, 0.0), ("cam_low", "identity"): (math.nan, 0.0)},
    ),
    _picture("blur", 2.0, "sharpness", (math.nan, 0.0), "blurred, σ 2 px"),
    _picture("dark", 0.6, "exposure", (40.0, 4.0), "40 % darker"),
    _picture("slow", 7.5, "frame rate", (50.0, 5.0), "at half its rate"),
    _register("follower_right", 9, "Current Limit", 1193, "the gripper's current limit unset"),
    _register("leader_left", 1, "Return Delay Time", 250, "a servo's return delay 500 µs"),
    Fault(
        "follower_right: a servo at 69 °C",
        (SetServoFault("follower_right", "register", 4, 69, "Present Temperature"),),
        (SetServoFault("follower_right", "register", 4, 32, "Present Temperature"),),
        {("follower_right", "temperature elbow"): (69.0, 0.5)},
    ),
)
LATE_MS = 40.0
SWING_S = 12.0


def station(*words: str, codes: tuple[int, ...] = (0,), seconds: float = 150) -> str:
    """Run the command; its output."""
    command = [str(Path(sys.executable).with_name("station")), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


@contextmanager
def calibrated_rig(light: bool = False) -> Iterator[Rig]:
    """The simulated rig, up, its arms' rest and its cameras' pictures kept, their lenses and depths known.

    `light`: arms at 50 Hz and cameras at 10, which a busy computer of two cores without a GPU carries.
    """
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update({name: str(folder / name[4:7].lower()) for name in ENVIRONMENT})
    for name in ENVIRONMENT:
        Path(os.environ[name]).mkdir(mode=0o700)
    file = folder / "sim.yaml"
    text = (SHIPPED / "sim.yaml").read_text().replace("~/station-data", str(folder / "data"))
    if light:
        text = text.replace("rate_hz: 100", "rate_hz: 50").replace("fps: 15", "fps: 10")
    file.write_text(text)
    try:
        station("up", "--rig", str(file))
        station("calibrate", "arms", "--rig", str(file), "--operator", "ada", "--yes", "--placings", "1")
        station("calibrate", "cameras", "--rig", str(file), "--operator", "ada", "--yes")
        _know_lenses(load_rig(file))
        station("stop", "--rig", str(file))  # what was measured is in force from the next opening on
        station("up", "--rig", str(file))
        yield load_rig(file)
    finally:
        station("stop", "--rig", str(file))
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        shutil.rmtree(folder)


def _know_lenses(rig: Rig) -> None:
    """What `calibrate cameras --board` would have measured: the scene's own numbers."""
    model = (scene := Scene()).model
    made = Made("2026-01-02T03:04:05+00:00", "ada", "the scene", 1)
    for node in rig.cameras:
        settings = rig.device(node).settings
        camera = model.camera(settings.view).id
        focal = settings.height / 2 / math.tan(math.radians(float(model.cam_fovy[camera])) / 2)
        lens = Intrinsics(
            made, settings.width, settings.height, focal, focal, settings.width / 2, settings.height / 2, (0.0,) * 5
        )  # type: ignore[arg-type]
        axis = -scene.data.cam_xmat[camera].reshape(3, 3)[:, 2]
        height = float(scene.data.cam_xpos[camera][2])
        known = calibration_files.load(f"view {settings.view}")
        assert known is not None
        parts: dict[str, object] = {"intrinsics": lens}
        if "wrist" not in node:
            depth = height / -float(axis[2])
            parts["extrinsics"] = Extrinsics(made, "rig", (0.0, 0.0, height), (1.0, 0.0, 0.0, 0.0), depth)
        calibration_files.save(msgspec.structs.replace(known, **parts))


def findings(
    rig: Rig, keep: frozenset[str] = frozenset(), seconds: float = LISTEN_S, lags: Lags | None = None
) -> list[Finding]:
    """What the check says about arms and cameras now, but for what the load of this computer decides."""
    known = {calibration.serial: calibration for calibration in calibration_files.load_all()}
    seen: Survey = survey(rig, seconds, monotonic_ns)
    cameras, _ = checks_cameras.check(rig, seen, known, boards.Board(), lags or {})
    found = (*checks_arms.check(rig, seen, known), *cameras)
    return [finding for finding in found if finding.name not in LOADED or finding.name in keep]


def bad(found: list[Finding]) -> dict[Key, Finding]:
    """Those that warn or fail."""
    return {(finding.device, finding.name): finding for finding in found if finding.verdict in ("warn", "fail")}


def ask(rig: Rig, *requests: SetServoFault | SetCameraFault) -> None:
    """Ask the world."""
    with Asker(rig.name, "world") as world:
        for request in requests:
            world.ask(request, 5000)
    time.sleep(SETTLE_S)


def inject(rig: Rig, fault: Fault) -> dict[Key, Finding]:
    """What the check finds with the fault; the rig is well again afterwards."""
    ask(rig, *fault.requests)
    try:
        return _until(lambda: bad(findings(rig, frozenset(name for _, name in fault.expected))), fault)
    finally:
        ask(rig, *fault.undo)
        if fault.reopens:
            _until(lambda: bad(findings(rig)), fault, there=False)


def _until(look: Callable[[], dict[Key, Finding]], fault: Fault, there: bool = True) -> dict[Key, Finding]:
    """Slow registers are read one servo at a time, and a port takes seconds to open: look again for a while."""
    deadline = time.monotonic() + (20 if fault.reopens or "°C" in fault.name else 0)
    while True:
        found = look()
        if (set(fault.expected) <= set(found)) == there or time.monotonic() > deadline:
            return found


def late(rig: Rig, camera: str, ms: float) -> Lags:
    """Latencies while the hands swing the arms, with one camera stamping late."""
    ask(rig, SetCameraFault(camera, "late", ms))
    with Asker(rig.name, "pilot") as pilot, Asker(rig.name, "world") as world:
        pilot.ask(Engage("leader"), 40_000)
        try:
            _swing(world)
            return swing(rig, SWING_S, monotonic_ns)
        finally:
            pilot.ask(Disengage(), 5000)
            ask(rig, SetCameraFault(camera, "none"))


def _swing(world: Asker) -> None:
    """The hands first go home."""
    deadline = time.monotonic() + 20
    while True:
        try:
            world.ask(SwingArms(SWING_S + 1.0), 5000)
            return
        except RequestRefused:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def row(fault: Fault, found: dict[Key, Finding]) -> str:
    """One row of the table."""
    told = []
    for (device, name), (size, _) in fault.expected.items():
        finding = found.get((device, name))
        if finding is None:
            told.append(f"**{name}: not found**")
            continue
        value = finding.value
        off = f", off by {abs(value - size):.2g}" if isinstance(value, float) and np.isfinite(size) else ""
        told.append(f"{finding.verdict}: {name} {check_results.value_text(finding)}{off}")
    others = [f"{device}: {name}" for device, name in found if (device, name) not in {*fault.expected, *fault.may}]
    return f"| {fault.name} | {'; '.join(told)} | {', '.join(others) or '–'} |"


def main(words: list[str]) -> None:
    """Print the table."""
    chosen = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    with calibrated_rig() as rig:
        print("| injected | found | anything else |\n|---|---|---|")
        for fault in chosen:
            print(row(fault, inject(rig, fault)), flush=True)
        if not words or "late" in words:
            for camera, lag in late(rig, "cam_high", LATE_MS).items():
                told = lag if isinstance(lag, str) else f"{lag.lag_ms:.1f} ± {lag.uncertainty_ms:.1f} ms"
                print(f"| cam_high {LATE_MS:g} ms late: {camera} | {told} | |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
