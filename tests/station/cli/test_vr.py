"""`station vr`: what it prints and with what it ends. A sitting operated from the headset is in tests/system."""

import json
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from station import cli
from station.bus.messages import Applied
from station.bus.sockets import Publisher
from station.clock import NS_PER_MS, monotonic_ns
from station.devices.headset import Pairing, pairing_path
from station.web.certificate import private_write

PORT = 8443
"""Of the shipped rig `sim_vr`; nothing listens on it here."""
PAIRING = Pairing((f"https://192.0.2.7:{PORT}", f"http://localhost:{PORT + 1}"), "042137")


def station(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["station", "vr", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return (int(ended.value.code or 0), *capsys.readouterr())


@pytest.fixture
def paired(runtime: str) -> None:
    """As if the headset's driver had been started."""
    path = pairing_path(PORT)
    path.parent.mkdir(parents=True, exist_ok=True)
    private_write(path, msgspec.json.encode(PAIRING))


@pytest.mark.usefixtures("paired")
def test_addresses_code_and_qr_code_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = station(monkeypatch, capsys, "--rig", "sim_vr")
    assert code == 0
    for url in PAIRING.urls:
        assert url in out
    assert "pairing code  042 137" in out
    assert sum("█" in line or "▀" in line for line in out.splitlines()) > 10
    assert "adb reverse" in out


@pytest.mark.usefixtures("paired")
def test_json_is_the_pairing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = station(monkeypatch, capsys, "--rig", "sim_vr", "--json")
    assert code == 0
    assert msgspec.json.decode(out, type=Pairing) == PAIRING


@pytest.mark.usefixtures("runtime")
def test_without_a_station_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, told = station(monkeypatch, capsys, "--rig", "sim_vr")
    assert code == 1
    assert "the headset's page of rig sim_vr is not up. Next: `station up --rig sim_vr`" in told


@pytest.mark.usefixtures("runtime")
def test_a_rig_without_a_headset_is_bad_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, told = station(monkeypatch, capsys, "--rig", "bench")
    assert code == 2
    assert "rig bench has no headset. Next: add `vr: {driver: webxr}` to " in told


class Arm:
    """Writes goals that were asked for 20 ms ago, until it is closed; and one arm that follows somebody else."""

    def __init__(self) -> None:
        self._left = Publisher("sim_vr", "follower_left", 1, monotonic_ns)
        self._right = Publisher("sim_vr", "follower_right", 1, monotonic_ns)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        while not self._end.wait(0.005):
            now_ns = monotonic_ns()
            asked = Applied("follower_left", "vr", -1, 0, now_ns - 20 * NS_PER_MS, (0.0,) * 7)
            self._left.publish("applied", asked, now_ns)
            self._right.publish("applied", Applied("follower_right", "park", -1, 0, 0, (0.0,) * 7), now_ns)

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._left.close()
        self._right.close()


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_measure_is_from_the_pose_to_the_goal_of_arms_that_vr_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arm = Arm()
    try:
        code, out, _ = station(monkeypatch, capsys, "--rig", "sim_vr", "--measure", "2", "--json")
    finally:
        arm.close()
    assert code == 0
    found = json.loads(out)
    assert found["goals"] > 2
    assert found["p50_ms"] == found["p99_ms"] == found["max_ms"] == 20.0


@pytest.mark.usefixtures("runtime")
def test_measure_without_a_moving_hand_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, told = station(monkeypatch, capsys, "--rig", "sim_vr", "--measure", "0.2")
    assert code == 1
    assert "no hand moved an arm meanwhile. Next: engage VR, squeeze a grip" in told


def test_the_rig_files_headset_is_the_one_that_is_asked(
    paired: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from station.rig.rig import find_rig

    other = tmp_path / "other.yaml"
    other.write_text(find_rig("sim_vr").read_text().replace("port: 8443", "port: 9443"))
    code, _, told = station(monkeypatch, capsys, "--rig", str(other))
    assert code == 1
    assert "not up" in told
