"""Where registers lie: the vendor's `.model` files in dynamixel-sdk. All X-series servos share the part used here."""

from functools import cache
from typing import NamedTuple

from dynamixel_easy_sdk.control_table import ControlTable

CURRENT_OR_LOAD = 126
"""Present Current, or Present Load on servos without a current sensor."""
SIGNED = frozenset(("Homing Offset", "Goal Position", "Present Position", "Present Velocity", "Present Current"))
_REFERENCE = "xm430_w350"


class Register(NamedTuple):
    """One register."""

    name: str
    address: int
    size: int

    def of(self, block: bytes, start: int) -> int:
        """Its value in a block that was read from address `start`."""
        at = self.address - start
        return int.from_bytes(block[at : at + self.size], "little", signed=self.name in SIGNED)

    def bytes(self, value: int) -> bytes:
        """Its value as it goes on the wire."""
        return (value & ((1 << 8 * self.size) - 1)).to_bytes(self.size, "little")


@cache
def model_names() -> dict[int, str]:
    """Model number → the vendor file's stem, such as 1120 → xm540_w270."""
    return {number: name.removesuffix(".model") for number, name in ControlTable.parsingModelList().items()}


@cache
def register(name: str, model: str = _REFERENCE) -> Register:
    """A register of a model; KeyError if it has none of that name."""
    number = next(number for number, stem in model_names().items() if stem == model)
    item = ControlTable.getControlTable(number)[name]
    return Register(name, item.address, item.size)
