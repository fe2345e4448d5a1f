"""What a Robotiq gripper's fault numbers mean, whatever it is reached through: a UR's URCap, the flange of another arm.

Source: Robotiq, "2F-85 & 2F-140 Instruction Manual".
"""

RESET, ACTIVATING, ACTIVE = 0, 1, 3
"""How far its activation is (gSTA)."""
_FAULTS = {
    5: "its action waits for its activation", 7: "it has to be activated", 8: "it is too hot", 9: "it has not been spoken to for a second",
    10: "its voltage is too low", 11: "it was released and has to be activated", 12: "its processor failed", 13: "its activation failed",
    14: "its current was too high", 15: "it was released",
}  # fmt: skip


def trouble(status: int, fault: int) -> str:
    """What is wrong with it; "" if nothing is."""
    if fault:
        return f"the gripper reports fault {fault}: {_FAULTS.get(fault, 'see its manual')}"
    return "" if status in (ACTIVE, ACTIVATING) else "the gripper is not activated"
