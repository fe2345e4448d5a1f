"""The stand-in on the network: two at once, each at an address of its own; what is bound is let go of."""

import socket
import struct

import pytest

from drivers.sim.network.joints import FreeArm, FreeFingers, Logged
from drivers.sim.ur.pendant import DOES, press
from drivers.sim.ur.rtde import packet
from drivers.sim.ur.stand_in import DASHBOARD, RTDE, UR, URCAP
from station.clock import monotonic_ns
from tests.drivers.metal import own_address

START = (0.0, -1.5, 1.5, -1.5, -1.5, 0.0)


def made() -> UR:
    return UR(own_address(), FreeArm(START), FreeFingers(), monotonic_ns)


def dashboard(it: UR, line: str) -> str:
    with socket.create_connection((it.address, DASHBOARD), 5) as connection, connection.makefile() as lines:
        assert lines.readline().startswith("Connected")
        connection.sendall(line.encode() + b"\n")
        return lines.readline().strip()


def test_two_at_once_know_nothing_of_each_other() -> None:
    one, other = made(), made()
    one.start()
    other.start()
    try:
        press(one, "power_off", 0.0, monotonic_ns())
        assert dashboard(one, "robotmode") == "Robotmode: POWER_OFF"
        assert dashboard(other, "robotmode") == "Robotmode: RUNNING"
    finally:
        one.stop()
        other.stop()
    again = UR(one.address, FreeArm(START), FreeFingers(), monotonic_ns)
    again.start()
    again.stop()


def test_the_gripper_and_rtde_answer_on_their_ports() -> None:
    it = made()
    it.start()
    try:
        with socket.create_connection((it.address, URCAP), 5) as gripper:
            gripper.sendall(b"GET POS\n")
            assert gripper.recv(100) == b"POS 3\n"
        with socket.create_connection((it.address, RTDE), 5) as rtde:
            rtde.sendall(packet(ord("V"), struct.pack(">H", 2)))
            assert rtde.recv(100) == packet(ord("V"), b"\x01")
            press(it, "hang_up", 0.0, monotonic_ns())
            assert rtde.recv(100) == b""
        press(it, "unplug", 0.0, monotonic_ns())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((it.address, RTDE), 5)
        press(it, "replug", 0.0, monotonic_ns())
        socket.create_connection((it.address, RTDE), 5).close()
    finally:
        it.stop()


def test_its_log_is_told_from_a_time_on() -> None:
    it = made()
    for at_ns in (10, 20, 30):
        it.controller.log.append(Logged(at_ns, "q", (float(at_ns),)))
    assert [entry.at_ns for entry in it.log(20)] == [20, 30]
    assert len(it.log()) == 3


def test_what_nobody_can_do_is_told() -> None:
    it = made()
    assert press(it, "dance", 0.0, 0) == f"no 'dance'; there are {', '.join(DOES)}"
