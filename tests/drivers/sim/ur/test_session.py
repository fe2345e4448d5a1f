"""RTDE as the stand-in speaks it, byte by byte."""

import struct

import pytest

from drivers.sim.network.joints import FreeArm
from drivers.sim.ur.controller import Controller
from drivers.sim.ur.rtde import Session, packet
from station.clock import NS_PER_S

START = (0.0, -1.5, 1.5, -1.5, -1.5, 0.0)


def session(taken: set[str] | None = None) -> tuple[Controller, Session]:
    controller = Controller(FreeArm(START), 0)
    return controller, Session(controller, set() if taken is None else taken, 0)


def test_versions_recipes_and_data() -> None:
    _, talk = session()
    assert talk.hear(packet(ord("V"), b"\0\x02"), 0) == packet(ord("V"), b"\x01")
    assert len(talk.hear(packet(ord("v"), b""), 0)) == 3 + 16
    asked = packet(ord("O"), struct.pack(">d", 125.0) + b"timestamp,actual_q,robot_mode,")
    assert talk.hear(asked, 0) == packet(ord("O"), b"\x01DOUBLE,VECTOR6D,INT32")
    assert talk.due(0) == b"", "nothing flows before it is started"
    assert talk.hear(packet(ord("S"), b""), 0) == packet(ord("S"), b"\x01")
    body = talk.due(0)
    assert body[:3] == struct.pack(">HB", 3 + 1 + 8 + 48 + 4, ord("U"))
    assert struct.unpack(">d6di", body[4:])[1:] == (*START, 7)
    assert talk.due(7_000_000) == b""
    assert talk.due(8_000_000)
    assert len([t for t in range(0, NS_PER_S, 2_000_000) if talk.due(8_000_000 + t)]) in (124, 125)


def test_what_it_does_not_know_is_named_and_nothing_is_sent_of_it() -> None:
    _, talk = session()
    asked = packet(ord("O"), struct.pack(">d", 10.0) + b"timestamp,nonsense")
    assert talk.hear(asked, 0) == packet(ord("O"), b"\x01DOUBLE,NOT_FOUND")
    talk.hear(packet(ord("S"), b""), 0)
    assert talk.due(NS_PER_S) == b""


def test_inputs_reach_their_registers_and_belong_to_whoever_came_first() -> None:
    taken: set[str] = set()
    controller, talk = session(taken)
    names = b"input_int_register_0,input_double_register_1"
    assert talk.hear(packet(ord("I"), names), 0) == packet(ord("I"), b"\x01INT32,DOUBLE")
    talk.hear(packet(ord("U"), struct.pack(">Bid", 1, 11, 0.5)), 5)
    assert (controller.ints[0], controller.doubles[1], controller.input_ns) == (11, 0.5, 5)
    other = Session(controller, taken, 0)
    assert other.hear(packet(ord("I"), names), 0) == packet(ord("I"), b"\x00IN_USE,IN_USE")
    talk.close()
    assert other.hear(packet(ord("I"), names), 0) == packet(ord("I"), b"\x01INT32,DOUBLE")


@pytest.mark.parametrize("spoilt", [b"\0\0V", packet(ord("U"), b"\x07"), packet(ord("U"), b"")])
def test_what_is_no_packet_is_hung_up_on(spoilt: bytes) -> None:
    _, talk = session()
    with pytest.raises(ValueError, match=r"packet|recipe"):
        talk.hear(spoilt, 0)


def test_packets_may_come_in_pieces() -> None:
    _, talk = session()
    whole = packet(ord("V"), b"\0\x02")
    assert [talk.hear(whole[n : n + 1], 0) for n in range(len(whole))][-1] == packet(ord("V"), b"\x01")
