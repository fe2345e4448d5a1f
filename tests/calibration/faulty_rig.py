"""The simulated rig, calibrated, with one fault at a time: what the check makes of it.

`python -m tests.calibration.faulty_rig` prints the table of docs/calibration.md; with words, only faults whose name has one
of them. It boots a rig: run nothing beside it.
"""

import datetime
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

import msgspec
import numpy as np

from calibration.arms.motion import Lags, swing
from calibration.cameras import board as boards
from calibration.checks import arms as checks_arms
from calibration.checks import cameras as checks_cameras
from calibration.checks.survey import Survey, survey
from drivers.sim.world.requests import SetCameraFault, SetServoFault, SwingArms
from drivers.sim.world.scene import Scene
from station.bus.requests import Disengage, Engage
from station.client import Station
from station.clock import monotonic_ns
from station.errors import RequestRefused
from station.files import calibration_files, check_results
from station.files.calibration_files import Extrinsics, Intrinsics, Made
from station.files.check_results import CheckResult, Finding
from station.rig.rig import SHIPPED, Rig, load_rig
from tests.calibration.faults import FAULTS, Fault, Key

ENVIRONMENT = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
LISTEN_S = 2.5
SETTLE_S = 0.7
"""A few pictures, so that the ones surveyed are of the new world."""
LOADED = ("bus rate", "serial latency", "failed readings", "frame rate", "frame jitter", "servos", "state")
"""What this computer's load decides too: left out, but for the fault that is meant."""
LATE_MS = 40.0
SWING_S = 12.0
GRIPPER = 9
"""Its servo."""
SHORT_PERCENT = 10.0
BOARD = "board: {square_m: 0.056, marker_m: 0.042}\n"
"""An A2 page: the scene's fixed cameras see the A4 board's squares 10 px wide, which no detector reads."""


def station(*words: str, codes: tuple[int, ...] = (0,), seconds: float = 150) -> str:
    """Run the command; its output."""
    command = [str(Path(sys.executable).with_name("station")), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def check(rig: Rig, *words: str) -> tuple[int, CheckResult]:
    """`station check`: its exit code, and what it found."""
    file = rig.file.with_name("check.json")
    command = [
        str(Path(sys.executable).with_name("station")),
        "check",
        "--rig",
        str(rig.file),
        "--json",
        str(file),
        *words,
    ]
    code = subprocess.run(command, capture_output=True, timeout=60, check=False).returncode
    return code, msgspec.json.decode(file.read_bytes(), type=CheckResult)


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
    text = text.replace("view: top,", "view: top, controls: {focus: 5},") + BOARD
    file.write_text(lighter(text) if light else text)
    try:
        station("up", "--rig", str(file))
        station("calibrate", "arms", "--rig", str(file), "--operator", "ada", "--yes", "--placings", "1")
        station("calibrate", "cameras", "--rig", str(file), "--operator", "ada", "--yes")
        _know_lenses(load_rig(file))
        restart(load_rig(file))
        yield load_rig(file)
    finally:
        station("stop", "--rig", str(file))
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        shutil.rmtree(folder)


def lighter(text: str) -> str:
    """A rig file with arms at 50 Hz and cameras at 10."""
    return text.replace("rate_hz: 100", "rate_hz: 50").replace("fps: 15", "fps: 10")


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
        )
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
    seen: Survey = survey(Station(rig), seconds, monotonic_ns)
    today = datetime.datetime.now(datetime.UTC).date()
    cameras, _ = checks_cameras.check(rig, seen, known, boards.of(rig), lags or {}, today)
    found = (*checks_arms.check(rig, seen, known, today), *cameras)
    return [finding for finding in found if finding.name not in LOADED or finding.name in keep]


def bad(found: list[Finding]) -> dict[Key, Finding]:
    """Those that warn or fail."""
    return {(finding.device, finding.name): finding for finding in found if finding.verdict in ("warn", "fail")}


def ask(rig: Rig, *requests: SetServoFault | SetCameraFault) -> None:
    """Ask the world."""
    for request in requests:
        Station(rig).ask("world", request, 5000)
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
    try:
        with swung(rig, SWING_S + 1.0):
            return swing(Station(rig), SWING_S, monotonic_ns)
    finally:
        ask(rig, SetCameraFault(camera, "none"))


@contextmanager
def swung(rig: Rig, seconds: float) -> Iterator[None]:
    """The followers follow hands that swing, and open and close the grippers."""
    running = Station(rig)
    running.ask("pilot", Engage("leader"), 40_000)
    try:
        _swing(running, seconds)
        yield
    finally:
        running.ask("pilot", Disengage(), 5000)


def short_gripper(rig: Rig, arm: str) -> list[Finding]:
    """What `calibrate grippers` and then the check make of a gripper that opens a tenth too little."""
    device = rig.device(arm)
    full = device.settings.travel(device.role)
    stop_rad = full.open_rad - SHORT_PERCENT / 100 * (full.open_rad - full.close_rad)
    ask(rig, SetServoFault(arm, "stop", GRIPPER, math.degrees(stop_rad)))
    try:
        measure_grippers(rig, arm)
        return findings(rig)
    finally:
        ask(rig, SetServoFault(arm, "stop", GRIPPER, 360.0))
        measure_grippers(rig, arm)


def measure_grippers(rig: Rig, *only: str) -> None:
    """`station calibrate grippers` while the hands open and close them, one arm after the other; all without a name."""
    nodes = only or tuple(device.node for device in rig.devices if device.role in ("leader", "follower"))
    chosen = [word for node in nodes for word in ("--only", node)]
    with swung(rig, 8.0 + len(nodes) * (SWING_S + 0.5)):
        station("calibrate", "grippers", "--rig", str(rig.file), *chosen, "--yes", "--seconds", f"{SWING_S}")


def measure_latency(rig: Rig) -> str:
    """`station calibrate latency` while the hands swing the arms; what it says."""
    with swung(rig, SWING_S + 8.0):
        return station("calibrate", "latency", "--rig", str(rig.file), "--yes", "--seconds", f"{SWING_S}")


def restart(rig: Rig) -> None:
    """What was measured is in force when the device is next opened; the arms lie on their rest stops again."""
    station("stop", "--rig", str(rig.file))
    station("up", "--rig", str(rig.file))


def _swing(at: Station, seconds: float) -> None:
    """The hands first go home."""
    deadline = time.monotonic() + 20
    while True:
        try:
            at.ask("world", SwingArms(seconds), 5000)
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
        value, off = finding.value, ""
        if isinstance(value, float) and isinstance(size, float) and np.isfinite(size):
            off = f", off by {abs(value - size):.2g}"
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
        if not words or "gripper" in words:
            short = {f.device: f for f in short_gripper(rig, "follower_right") if f.name == "gripper range"}
            told = short["follower_right"]
            print(
                f"| follower_right: gripper opens {SHORT_PERCENT:g} % too little | {told.verdict}: {check_results.value_text(told)} | |"
            )
        if not words or "late" in words:
            for camera, lag in late(rig, "cam_high", LATE_MS).items():
                said = lag if isinstance(lag, str) else f"{lag.lag_ms:.1f} ± {lag.uncertainty_ms:.1f} ms"
                print(f"| cam_high {LATE_MS:g} ms late: {camera} | {said} | |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
