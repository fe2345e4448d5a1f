"""Bad input is one clear sentence, exit 2 or 1, and nothing is lost. The sentences are those of docs/reliability.md."""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers.dynamixel.port import opening_error
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos
from station import cli
from station.clock import monotonic_ns
from station.rig.rig import find_rig

DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"
STATION = (sys.executable, "-m", "station.cli")
Edit = Callable[[dict[str, Any]], object]


def in_the_docs(sentence: str) -> None:
    """The table shows what is really said."""
    assert re.sub(r"\s+", " ", sentence) in re.sub(r"\s+", " ", DOCS.read_text()), sentence


def station(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["station", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


RIG_FILES: list[tuple[str, Edit, str]] = [
    ("an unknown key", lambda r: r["cameras"]["cam_high"].update(widht=640),
     "cameras.cam_high: Object contains unknown field `widht`. Fix: did you mean `width`?"),
    ("a wrong type", lambda r: r["cameras"]["cam_high"].update(width="wide"),
     "cameras.cam_high.width: Expected `int`, got `str`. Fix: correct the value"),
    ("a missing port", lambda r: r["arms"]["left"]["leader"].pop("port"),
     "arms.left.leader: Object missing required field `port`. Fix: correct the value"),
    ("two devices on one port", lambda r: r["arms"]["left"]["leader"].update(port=r["arms"]["left"]["follower"]["port"]),
     "/ports/follower_left is already leader_left's. Fix: one device, one port"),
    ("a driver that is not there", lambda r: r["cameras"]["cam_high"].update(driver="kinect"),
     "cameras.cam_high.driver: 'kinect' is not installed. Fix: one of dynamixel,"),
    ("an impossible limit", lambda r: r.update(safety={"velocity_rad_s": -1}),
     "velocity_rad_s must be a number above 0"),
]  # fmt: skip


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(("what", "edit", "sentence"), RIG_FILES, ids=[row[0] for row in RIG_FILES])
def test_a_wrong_rig_file(
    what: str, edit: Edit, sentence: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    described = yaml.safe_load(find_rig("bench").read_text())
    edit(described)
    path = tmp_path / "rig.yaml"
    path.write_text(yaml.safe_dump(described, sort_keys=False))
    code, told = station(monkeypatch, capsys, "up", "--rig", str(path))
    assert code == 2
    assert sentence in told
    assert str(path) in told
    assert len(told.strip().splitlines()) == 1
    in_the_docs(sentence)


@pytest.mark.usefixtures("runtime")
def test_no_such_rig(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = station(monkeypatch, capsys, "up", "--rig", "alhoa")
    assert code == 2
    assert "--rig alhoa: no such file, and no shipped rig of that name. Shipped: aloha" in told
    in_the_docs("--rig alhoa: no such file, and no shipped rig of that name. Shipped: aloha")


def test_a_port_that_is_not_permitted_names_the_group() -> None:
    error = opening_error("leader_left", "/dev/ttyDXL", 1_000_000, PermissionError(13, "Permission denied"))
    sentence = "expected leave to open it; found permission denied. Next: sudo usermod -aG dialout $USER"
    assert sentence in str(error)
    assert error.exit_code == 1
    in_the_docs(sentence)


DEVICES = (
    "expected a serial port at 1000000 baud; found no such device. Next: check the USB cable and the arm's power",
    "found no answer from wrist_rotate (ID 8). Next: check the cable to wrist_rotate and behind it",
    "shoulder (ID 2) is a xm430_w350, not xm540_w270. Next: check that the cables of two arms are not swapped",
    "expected the port for ourselves; found process",
    "expected a camera there; found no such device. Next: plug it in; `station find` lists cameras",
)


@pytest.mark.system
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("runtime")
def test_devices_that_are_not_as_the_rig_file_says(tmp_path: Path) -> None:
    """One rig with everything wrong at once: each device says its own sentence, and `up` exits 1."""
    ports = {node: tmp_path / node for node in ("leader_right", "follower_left", "follower_right")}
    swapped = [s._replace(model="xm430_w350") if s.id == 2 else s for s in aloha_arm_servos("vx300s", "aloha1")]
    buses = [
        ServoBus(ports["leader_right"], [s for s in aloha_arm_servos("wx250s", "aloha1") if s.id != 8], ShaftPlant(monotonic_ns)),
        ServoBus(ports["follower_left"], swapped, ShaftPlant(monotonic_ns)),
        ServoBus(ports["follower_right"], aloha_arm_servos("vx300s", "aloha1"), ShaftPlant(monotonic_ns)),
    ]  # fmt: skip
    described = yaml.safe_load(find_rig("bench").read_text())
    described.pop("world")
    described["cameras"] = {"cam_high": {**described["cameras"]["cam_high"], "source": "/dev/CAM_HIGH"}}
    for side, arms in described["arms"].items():
        for role, arm in arms.items():
            arm["port"] = str(ports.get(f"{role}_{side}", "/dev/ttyDXL_leader_left"))
            arm["rate_hz"] = 50
    path = tmp_path / "rig.yaml"
    path.write_text(yaml.safe_dump(described))
    for bus in buses:
        bus.start()
    ours = os.open(ports["follower_right"], os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(ours, fcntl.LOCK_EX)
    try:
        up = subprocess.run([*STATION, "up", "--rig", str(path)], capture_output=True, text=True, timeout=120)
    finally:
        subprocess.run([*STATION, "stop", "--rig", str(path)], capture_output=True, timeout=60)
        os.close(ours)
        for bus in buses:
            bus.stop()
    assert up.returncode == 1
    for sentence in DEVICES:
        assert sentence in up.stderr, up.stderr
        in_the_docs(sentence)
