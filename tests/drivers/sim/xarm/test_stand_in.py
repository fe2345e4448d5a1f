"""The stand-in on the network: UFACTORY's own `XArmAPI`, unchanged, in a process of its own; and what its ports say byte by byte."""

import json
import socket
import struct
import subprocess
import sys

from drivers.sim.network.joints import FreeArm, FreeFingers
from drivers.sim.xarm.stand_in import COMMANDS, REAL, RICH, RT, XArm
from station.clock import monotonic_ns
from tests.drivers.metal import own_address

START = (0.0, 0.0, 0.0, 1.1, 0.0, 1.1, 0.0)
API = """
import json, sys, time
from xarm.core.config.x_config import XCONF
XCONF.SocketConf.TCP_CONTROL_PORT = int(sys.argv[2])
from xarm.wrapper import XArmAPI
arm = XArmAPI(sys.argv[1], is_radian=True, forbid_uds=True)
told = {"axis": arm.axis, "version": arm.version_number, "mode": [arm.set_mode(1), arm.set_state(0)]}
time.sleep(0.3)
told["servo"] = arm.set_servo_angle_j([0.05, 0, 0, 1.1, 0, 1.1, 0], is_radian=True)
time.sleep(0.5)
told["angle"] = arm.get_servo_angle(is_radian=True)[1][0]
told["gripper"] = [arm.set_gripper_enable(True), arm.set_gripper_mode(0), arm.set_gripper_position(400, wait=True)]
told["pulse"] = arm.get_gripper_position()[1]
told["error"] = arm.get_err_warn_code()[1]
arm.disconnect()
print("TOLD " + json.dumps(told))
"""


def made(**keys: bool) -> XArm:
    return XArm(own_address(), FreeArm(START), FreeFingers(), monotonic_ns, **keys)


def test_the_vendors_own_interface_runs_unchanged() -> None:
    it = made()
    it.start()
    try:
        ran = subprocess.run(
            [sys.executable, "-c", API, it.address, str(COMMANDS)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        found = [line for line in ran.stdout.splitlines() if line.startswith("TOLD ")]
        assert found, ran.stdout + ran.stderr
        told = json.loads(found[0].removeprefix("TOLD "))
        assert (told["axis"], told["version"], told["mode"], told["servo"]) == (7, [2, 7, 0], [0, 0], 0)
        assert abs(told["angle"] - 0.05) < 1e-3
        assert (told["gripper"], told["error"]) == ([0, 0, 0], [0, 0])
        assert abs(told["pulse"] - 400) <= 2
    finally:
        it.stop()


def test_reports_have_the_lengths_of_the_vendors_layouts() -> None:
    it = made()
    it.start()
    try:
        for port, size in ((RT, 804), (REAL, 135), (RICH, 587)):
            with socket.create_connection((it.address, port), 5) as connection:
                got = b""
                while len(got) < 4:
                    got += connection.recv(4)
                assert struct.unpack(">I", got[:4]) == (size,)
    finally:
        it.stop()


def test_an_older_firmware_has_no_port_30000() -> None:
    it = made(old=True)
    it.start()
    try:
        with socket.socket() as connection:
            assert connection.connect_ex((it.address, RT)) != 0
    finally:
        it.stop()
