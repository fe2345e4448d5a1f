"""What one struct stood for until schema 2 is read as the three of today, number for number."""

import msgspec
import pytest

from station.bus.messages import Applied, Command, Header, Setpoint
from station.episodes import older
from station.episodes.journal_reader import Stored

THEN = {
    "arm": "rig", "source": "policy", "tick": 7, "ask_sequence": 3, "ask_at_ns": 140_000_000, "goal": [0.1, 0.2], "hold": True,
    "limited": True, "why": "starved", "stalled": True,
}  # fmt: skip
NOW = {
    "setpoint": Setpoint("policy", 7, 140_000_000, (0.1, 0.2), True, "starved"),
    "command": Command("rig", "policy", 7, 3, 140_000_000, (0.1, 0.2), True, "starved", True),
    "applied": Applied("rig", "policy", 7, 3, 140_000_000, (0.1, 0.2), True, True, "starved", True),
}


@pytest.mark.parametrize("schema", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize("kind", NOW)
def test_an_older_body_is_todays(kind: str, encoding: str, schema: int) -> None:
    data = msgspec.json.encode(THEN) if encoding == "json" else msgspec.msgpack.encode((THEN, ()))
    stored = Stored(kind, "x", Header(schema, 1, 0, 0, 0), data, encoding, "Command")
    assert stored.open() == (NOW[kind], ())


def test_a_setpoint_was_called_a_command_and_nothing_else_was() -> None:
    for node in ("policy", "policy_shadow", "replay", "vr_teleop"):
        assert older.kind_of("command", node, 3) == "setpoint"
        assert older.kind_of("command", node, 4) == "command"
    assert older.kind_of("command", "follower_left", 1) == "command"
    assert older.kind_of("applied", "follower_left", 1) == "applied"
    assert older.kind_of("tick", "policy", 1) == "tick"


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_the_other_schemas_struct_is_no_message(schema: int) -> None:
    """What is of neither is refused, not guessed."""
    foreign = {"arm": "rig", "source": "policy", "tick": 7, "goal": []}
    stored = Stored("command", "x", Header(schema, 1, 0, 0, 0), msgspec.json.encode(foreign), "json", "Command")
    with pytest.raises(ValueError, match="missing"):
        stored.open()
