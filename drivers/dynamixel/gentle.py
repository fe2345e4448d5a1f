"""How a leader is driven so that one hand stops it: Goal PWM. Pure.

Goal PWM (register 100, RAM) bounds the voltage that a servo puts on its motor in every mode (ROBOTIS e-manual, Goal PWM and PWM
Limit). A motor that stands still draws I = share · V / R = share · (its stall current), and pushes in proportion. So it limits the
current of a joint that a hand holds, on every model, those without a current sensor (XL430, XC430) too; and unlike the mode in which
Goal Current limits (Current-based Position, EEPROM), it leaves the servos' own position limits in force and needs no arm without torque.
"""

from collections.abc import Iterable

from drivers.dynamixel.models import RATINGS

GENTLE_SHARE = 0.45
"""A WidowX 250's shoulder, two XM430-W350 of 4.1 N·m, then pushes with 3.7 N·m: 9 N at a handle that is 0.4 m away, and carries the
arm's own weight (2 N·m, guessed from 0.9 kg at 0.25 m). Not yet felt by a hand.
"""


def words(models: Iterable[str]) -> str:
    """What limits the force of an arm of these servos, for people."""
    named = sorted({model for model in models if model in RATINGS})
    amounts = (f"{GENTLE_SHARE * RATINGS[model].stall_ma / 1000:.1f} A of {_name(model)}" for model in named)
    told = ", ".join(amounts)
    return f"Goal PWM at {100 * GENTLE_SHARE:.0f} %" + (f": where a hand stops it, at most {told}" if told else "")


def _name(model: str) -> str:
    return model.upper().replace("_", "-")
