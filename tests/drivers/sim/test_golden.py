"""The example packets of the ROBOTIS e-manual ("Protocol 2.0"), byte for byte."""

import pytest

from drivers.sim.servos.servo import RAD_PER_TICK, ServoSpec
from tests.drivers.sim.conftest import MakeBus

XM = ServoSpec(1, "xm430_w350", {"Return Delay Time": 0})
OK = "fffffd000104005500a10c"


def at_ticks(ticks: int) -> float:
    return (ticks - 2048) * RAD_PER_TICK


def test_ping_is_answered_with_model_and_firmware(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM)
    bus.set_register(1, "Model Number", 1030)
    bus.set_register(1, "Firmware Version", 38)
    host.say("fffffd000103000119 4e".replace(" ", ""))
    assert host.hear(14) == "fffffd00010700550006042665 5d".replace(" ", "")


def test_read_present_position(make_bus: MakeBus) -> None:
    _, plant, host = make_bus(XM)
    plant.move_hand(1, at_ticks(166))
    host.say("fffffd00010700028400040 01d15".replace(" ", ""))
    assert host.hear(15) == "fffffd000108005500a60000008cc0"


def test_write_goal_position(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM)
    host.say("fffffd0001090003740000020000ca89")
    assert host.hear(11) == OK
    assert bus.register(1, "Goal Position") == 512
    assert [entry[1:] for entry in bus.goal_log] == [(1, 512)]


def test_reg_write_waits_for_action(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM)
    bus.set_register(1, "Goal Velocity", 0)
    host.say("fffffd00010900046800c8000000ae8e")
    assert host.hear(11) == OK
    assert bus.register(1, "Registered Instruction") == 1
    host.say("fffffd000103000502ce")
    assert host.hear(11) == OK
    assert bus.register(1, "Registered Instruction") == 0
    assert bus.register(1, "Goal Velocity") == 200


def test_reboot(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM)
    bus.set_register(1, "Torque Enable", 1)
    host.say("fffffd00010300082f4e")
    assert host.hear(11) == OK
    assert bus.register(1, "Torque Enable") == 0


def test_factory_reset_is_refused(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM)
    bus.set_register(1, "Shutdown", 4)
    host.say("fffffd000104000601a1e6")
    assert host.hear(11)[16:18] == "01"
    assert bus.register(1, "Shutdown") == 4


def test_sync_read(make_bus: MakeBus) -> None:
    _, plant, host = make_bus(XM, XM._replace(id=2))
    plant.move_hand(1, at_ticks(166))
    plant.move_hand(2, at_ticks(2079))
    host.say("fffffd00fe090082840004000102cefa")
    assert host.hear(30) == "fffffd000108005500a60000008cc0" + "fffffd0002080055001f080000babe"


def test_sync_write(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM, XM._replace(id=2))
    host.say("fffffd00fe1100837400040001960000000 2aa0000008287".replace(" ", ""))
    assert host.silent()
    assert (bus.register(1, "Goal Position"), bus.register(2, "Goal Position")) == (150, 170)


def test_bulk_read(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM, XM._replace(id=2))
    bus.set_register(1, "Present Input Voltage", 119)
    bus.set_register(2, "Present Temperature", 36)
    host.say("fffffd00fe0d00920190000200029200010 01a05".replace(" ", ""))
    assert host.hear(25) == "fffffd0001060055007700c369" + "fffffd000205005500248ba9"


def test_bulk_write(make_bus: MakeBus) -> None:
    bus, _, host = make_bus(XM, XM._replace(id=2))
    bus.set_register(1, "Max Voltage Limit", 140)
    bus.set_register(2, "Temperature Limit", 70)
    host.say("fffffd00fe1000930120000200a000021f00010050b768")
    assert host.silent()
    assert (bus.register(1, "Max Voltage Limit"), bus.register(2, "Temperature Limit")) == (160, 80)


@pytest.mark.parametrize("spoil", range(0, 22, 2))
def test_a_spoilt_request_is_not_obeyed(make_bus: MakeBus, spoil: int) -> None:
    bus, _, host = make_bus(XM)
    good = "fffffd0001090003740000020000ca89"
    bad = good[:spoil] + f"{int(good[spoil], 16) ^ 4:x}" + good[spoil + 1 :]
    host.say(bad)
    assert host.silent()
    assert not bus.goal_log
    host.say(good)
    assert host.hear(11) == OK
