"""What earlier software wrote into journals, in today's words. Pure: JSON values in, JSON values out.

Since schema 3 of messages (`station.bus.messages.SCHEMA`) and layout 2 of a journal's header an arm's effort has its unit. Before, all
arms were of servos, it was a current in mA (`current_ma`, `overload_ma`), and an arm with torque was taken for ready.

Since schema 4 a source's setpoint for all arms, the pilot's command to one arm, and the goal that an arm's driver wrote are three
structs. Before, `Command` stood for all three, and setpoints were of the kind `command`.
"""

from typing import Any

UNIT_SCHEMA = 3
UNIT_LAYOUT = 2
SETPOINT_SCHEMA = 4
_SOURCES = ("policy", "policy_shadow", "replay", "vr_teleop")
"""Nodes whose commands were setpoints."""


def body(kind: str, schema: int, value: dict[str, Any]) -> dict[str, Any]:
    """The body of a message of that schema, of a kind of today (`kind_of`)."""
    if schema < SETPOINT_SCHEMA and kind in ("setpoint", "command", "applied"):
        return _commanding(kind, value)
    if schema >= UNIT_SCHEMA:
        return value
    if kind == "arm_state":
        return _arm_state(value)
    return _description(value) if kind == "description" else value


def header(value: dict[str, Any]) -> dict[str, Any]:
    """A journal's header, whatever its layout."""
    if value.get("layout", 1) >= UNIT_LAYOUT:
        return value
    units = {"effort_units": ["mA"] * len(value["dim_names"])}
    return {
        **units,
        **value,
        "descriptions": {node: _description(about) for node, about in value["descriptions"].items()},
    }


def kind_of(kind: str, node: str, schema: int) -> str:
    """What the kind of a stream is called today that a message of `schema` has."""
    return "setpoint" if schema < SETPOINT_SCHEMA and kind == "command" and node in _SOURCES else kind


def _commanding(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    if kind == "setpoint":
        gone = ("arm", "ask_sequence", "limited", "stalled")
        return {name: one for name, one in _renamed(value, "ask_at_ns", "at_ns").items() if name not in gone}
    named = _renamed(_renamed(value, "ask_sequence", "setpoint_sequence"), "ask_at_ns", "setpoint_at_ns")
    return {name: one for name, one in named.items() if kind == "applied" or name != "limited"}


def _arm_state(value: dict[str, Any]) -> dict[str, Any]:
    return {"mode": "ready" if value.get("torque") else "off", **_renamed(value, "current_ma", "effort")}


def _description(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "streams": [_stream(stream) for stream in value["streams"]]}


def _stream(value: dict[str, Any]) -> dict[str, Any]:
    arm = value["kind"] == "arm_state"
    unit = {"effort_unit": "mA"} if arm else {}
    dimensions = [{**unit, **_renamed(d, "overload_ma", "overload")} for d in value.get("dimensions", ())]
    return {**value, "clock": "request" if arm else "", "dimensions": dimensions}


def _renamed(value: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: one for name, one in value.items()}
