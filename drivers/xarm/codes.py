"""What a controller's error, warning and answer codes mean, and what to do. Source: UFACTORY, "xArm error handling", "xArm API code"."""

ERRORS = {
    1: ("the emergency stop on its control box is pressed", "when all is clear release the button"),
    2: ("the emergency stop input of its control box is triggered", "when all is clear close the circuit"),
    3: ("the emergency stop of the three-state switch is pressed", "when all is clear release the switch"),
    10: ("a servo reports an error", "look at it in UFACTORY Studio"),
    18: ("its force and torque sensor does not answer", "look at the sensor's cable"),
    19: ("what is on its flange does not answer", "look at the gripper's cable"),
    21: ("it has no solution for where it was sent", "move it away from the singularity"),
    22: ("it would run into itself", "move it away from there"),
    23: ("a joint is beyond its limit", "move it back in UFACTORY Studio"),
    24: ("a joint was asked to be too fast", "lower safety.velocity_rad_s"),
    25: ("it could not plan its way", "look where its leader is"),
    26: ("its controller missed its own cycle", "switch it off and on"),
    27: ("a servo did not answer", "switch it off and on"),
    28: ("what is on its flange does not answer", "look at the gripper's cable"),
    30: ("a joint turned too fast", "look what pushed it"),
    31: ("it ran into something", "look what it was, and clear it"),
    33: ("its control box reports a faulty input or output", "look at its wiring"),
    35: ("it has reached its safety boundary", "move it back, or change the boundary in UFACTORY Studio"),
    36: ("too many delayed commands", "ask again"),
    37: ("it was pulled too hard in manual mode", "let go of it"),
    38: ("a joint's angle cannot be", "switch it off and on"),
    39: ("its power board does not answer itself", "switch it off and on"),
    50: ("its force and torque sensor cannot be read", "look at the sensor's cable"),
    53: ("its force and torque sensor is overloaded", "look what pulls at it"),
    60: ("its fingertips were asked to be too fast", "lower tip_m_s in the rig file"),
    110: ("the board in its base does not answer", "switch it off and on"),
}
_SERVO_FIRST, _SERVO_LAST = 11, 17
EMERGENCY = (1, 2, 3)
"""Over only when somebody releases the button."""
WARNINGS = {
    11: "its queue is full",
    12: "a command's parameter was wrong",
    13: "it does not know a command",
    14: "a command had no solution",
}


def error(code: int) -> tuple[str, str]:
    """What it is, with its number, and what to do."""
    if _SERVO_FIRST <= code <= _SERVO_LAST:
        return f"servo {code - _SERVO_FIRST + 1} reports an error (C{code})", "look at it in UFACTORY Studio"
    what, then = ERRORS.get(
        code, ("it reports an error that this driver does not know", "look at it in UFACTORY Studio")
    )
    return f"{what} (C{code})", then


def warning(code: int) -> str:
    """What it is; "" for none."""
    return f"{WARNINGS.get(code, 'it warns')} (W{code})" if code else ""


_ANSWERS = {
    -1: "it is not connected", 1: "it reports an error", 3: "no answer in time", 8: "the connection is over", 9: "it is not ready to move",
    12: "it refuses the parameters",
}  # fmt: skip


def answer(code: int) -> str:
    """Why a call did not do what it was to; "" where it did."""
    return "" if code in (0, 2) else f"{_ANSWERS.get(code, 'it refuses')} (code {code})"
