"""What a controller and a gripper say in other words than the simulated ones do: older software, answers in pieces or without an end."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from drivers.ur import dashboard, robotiq
from drivers.ur.acts import Acts
from drivers.ur.settings import Gripper
from station.clock import monotonic_ns
from tests.drivers.driven import came
from tests.drivers.metal import own_address

Answer = Callable[[str], list[bytes]]
"""To a line: pieces, each sent by itself."""


@contextmanager
def speaking(port: int, greeting: bytes, answer: Answer) -> Iterator[str]:
    """Somebody at a loopback address of its own who answers lines."""
    address = own_address()
    with socket.create_server((address, port)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as lines:
                connection.sendall(greeting)
                for line in lines:
                    for piece in answer(line.decode().strip()):
                        connection.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        yield address


def test_a_controller_that_knows_no_serial_number_has_none() -> None:
    assert dashboard.serial_number("2012350001") == "2012350001"
    assert dashboard.serial_number("could not understand: 'get serial number'") == ""


@pytest.mark.parametrize(
    ("said", "remote"),
    [
        (b"true\n", True),
        (b"TRUE\n", True),
        (b"false\n", False),
        (b"could not understand: 'is in remote control'\n", None),
    ],
)
def test_a_pendant_without_the_switch_is_not_in_local_control(said: bytes, remote: bool | None) -> None:
    asked: list[str] = []

    def answer(line: str) -> list[bytes]:
        asked.append(line)
        return [b"2012350001\n"] if line == "get serial number" else [said[:2], said[2:]]

    with speaking(dashboard.PORT, b"Connected: Universal Robots Dashboard Server\n", answer) as address:
        board = dashboard.Dashboard(address, monotonic_ns)
        try:
            came(lambda: "is in remote control" in asked and board.serial)
            assert board.ask("robotmode") is not None
            came(lambda: "robotmode" in asked)  # it has taken the first answer by then
            assert board.remote is remote
        finally:
            board.close()


@pytest.mark.parametrize(
    "pieces", [[b"{} {}\n"], [b"{} {}"], [b"\n{} ", b"{}\n"]], ids=["whole", "endless", "in pieces"]
)
def test_a_grippers_answers_are_read_however_they_come(pieces: list[bytes]) -> None:
    values = {"STA": 3, "FLT": 0, "POS": 128, "OBJ": 0}

    def answer(line: str) -> list[bytes]:
        name = line.split()[1]
        words = [name.encode(), str(values[name]).encode()]
        found = []
        for piece in pieces:
            while b"{}" in piece:
                piece = piece.replace(b"{}", words.pop(0), 1)
            found.append(piece)
        return found

    with speaking(robotiq.PORT, b"", answer) as address:
        gripper = robotiq.Robotiq(address, Gripper("robotiq_2f85"), monotonic_ns)
        try:
            came(lambda: gripper.fingers is not None)
            assert gripper.fingers is not None
            assert gripper.fingers.opening == pytest.approx(1 - (128 - 3) / (228 - 3))
            assert gripper.trouble == ""
        finally:
            gripper.close()


@pytest.mark.parametrize("looks", [0, 3], ids=["at once", "soon"])
def test_a_gripper_that_resets_and_activates_faster_than_anybody_looks_is_activated(looks: int) -> None:
    values = {"ACT": 1, "STA": 3, "POS": 3, "OBJ": 3, "FLT": 0}
    resetting = 0

    def answer(line: str) -> list[bytes]:
        nonlocal resetting
        word, *rest = line.split()
        if word == "SET":
            values.update({name: int(value) for name, value in zip(rest[::2], rest[1::2], strict=True)})
            resetting = looks
            return [b"ack"]
        if rest == ["STA"]:
            resetting -= 1
            values["STA"] = values["STA"] if resetting >= 0 else 3 * values["ACT"]
        return [f"{rest[0]} {values[rest[0]]}\n".encode()]

    with speaking(robotiq.PORT, b"", answer) as address:
        gripper = robotiq.Robotiq(address, Gripper("robotiq_2f85"), monotonic_ns)
        acts = Acts("follower_left", None, None, monotonic_ns)  # type: ignore[arg-type]  # of the arm nothing is asked
        try:
            came(lambda: gripper.active)
            steps = acts.activate(gripper)
            came(lambda: next(steps, None) is None)
            assert gripper.active
            assert values["ACT"] == 1
        finally:
            gripper.close()
