"""What a cycle on the wire costs. Pure.

10 bits a byte; sync read: 14 + N bytes out, 11 + D bytes from each servo; sync write: 14 + N·(1 + D) bytes.
Source: ROBOTIS e-manual, "Protocol 2.0".
"""

STATE_BYTES = 10
"""Registers 126…135: current (or load), velocity, position."""
GOAL_BYTES = 4


def read_bytes(servos: int, length: int = STATE_BYTES) -> int:
    """Bytes of one sync read, both directions."""
    return 14 + servos + servos * (11 + length)


def cycle_ms(baud: int, servos: int, writes: bool = True) -> float:
    """One read of the state, and one write of the goal, of `servos` servos at `baud`: ms on the wire, nothing else."""
    total = read_bytes(servos) + (14 + servos * (1 + GOAL_BYTES) if writes else 0)
    return total * 10_000.0 / baud
