"""A servo's control table: where each register lies (the vendor's `.model` files in dynamixel-sdk), who may write what.

The `.model` files carry address, size and name only; access, ranges and factory values are the e-manual's (X series).
"""

from typing import NamedTuple

from dynamixel_easy_sdk.control_table import ControlTable

EEPROM_END = 64
"""Registers below are EEPROM: kept without power, locked while torque is on."""

SIGNED = frozenset(
    f"{kind} {name}"
    for kind in ("Goal", "Present")
    for name in ("PWM", "Current", "Load", "Velocity", "Position")
) | {"Homing Offset", "Velocity Trajectory", "Position Trajectory"}  # fmt: skip

GOALS = ("Goal PWM", "Goal Current", "Goal Velocity", "Goal Position")
"""Read-only while the Bus Watchdog has tripped."""

READ_ONLY = frozenset(
    (
        "Model Number", "Model Information", "Firmware Version", "Registered Instruction", "Hardware Error Status",
        "Realtime Tick", "Moving", "Moving Status", "Present PWM", "Present Current", "Present Load",
        "Present Velocity", "Present Position", "Velocity Trajectory", "Position Trajectory",
        "Present Input Voltage", "Present Temperature",
    )
)  # fmt: skip

RANGES = {
    "ID": (0, 252), "Baud Rate": (0, 7), "Return Delay Time": (0, 254), "Drive Mode": (0, 5), "Operating Mode": (0, 16),
    "Secondary(Shadow) ID": (0, 255), "Protocol Type": (1, 2), "Homing Offset": (-1_044_479, 1_044_479),
    "Temperature Limit": (0, 100), "PWM Limit": (0, 885), "Current Limit": (0, 2047), "Velocity Limit": (0, 1023),
    "Max Position Limit": (0, 4095), "Min Position Limit": (0, 4095), "Torque Enable": (0, 1), "LED": (0, 1),
    "Status Return Level": (0, 2), "Bus Watchdog": (0, 127), "Profile Acceleration": (0, 32767),
    "Profile Velocity": (0, 32767),
    "Goal Position": (-1_048_575, 1_048_575),
}  # fmt: skip
"""Values outside are a Data Range Error."""

LIMITED_BY = {"Goal PWM": "PWM Limit", "Goal Current": "Current Limit", "Goal Velocity": "Velocity Limit"}
"""|goal| above the register named is a Data Limit Error."""

FACTORY = {
    "ID": 1, "Baud Rate": 1, "Return Delay Time": 250, "Operating Mode": 3, "Secondary(Shadow) ID": 255,
    "Protocol Type": 2, "Moving Threshold": 10, "Temperature Limit": 80, "Max Voltage Limit": 160,
    "Min Voltage Limit": 95, "PWM Limit": 885,
    "Velocity Limit": 200, "Max Position Limit": 4095, "Min Position Limit": 0, "Shutdown": 52, "Firmware Version": 46,
}  # fmt: skip
POWER_ON = {
    "Status Return Level": 2, "Velocity I Gain": 1920, "Velocity P Gain": 100, "Position P Gain": 800, "Goal PWM": 885,
    "Present Input Voltage": 120, "Present Temperature": 32,
}  # fmt: skip
SUPPLIED = {
    "xl330_m288": {"Max Voltage Limit": 70, "Min Voltage Limit": 35, "Present Input Voltage": 50},
}  # fmt: skip
"""Servos that are not on 12 V, what is else there, tenths of a volt (e-manual): a GELLO's are on 5 V, 12 would be the end of them."""
LOAD_MA_PER_UNIT = 1.4
"""Present Load is in 0.1 % of the most the servo can do: an XL430 stalls at 1.4 A (12 V)."""
STALL_MA = {"xm540_w270": 4400.0, "xm430_w350": 2300.0, "xl430_w250": 1400.0, "xc430_w150": 1400.0}
"""At 12 V (e-manual)."""
_CURRENT_LIMIT = {"xm540_w270": 2047, "xm430_w350": 1193, "xl330_m288": 1750, "xc330_t288": 910}
_CURRENT_MA = {"xm540_w270": 2.69, "xm430_w350": 2.69, "xl330_m288": 1.0, "xc330_t288": 1.0}


class Register(NamedTuple):
    """Where one register lies."""

    address: int
    size: int


class Table(NamedTuple):
    """One model's control table."""

    number: int
    registers: dict[str, Register]
    at: dict[int, str]
    """The register that begins at an address."""
    size: int
    current_limit: int
    ma_per_unit: float | None
    """mA per unit of Present Current; None where the servo has no current sensor and reports load."""


def table_of(model: str) -> Table:
    """The table of a vendor model such as `xm540_w270`; KeyError for a model the SDK does not know."""
    numbers = {name.removesuffix(".model"): number for number, name in ControlTable.parsingModelList().items()}
    number = numbers[model]
    registers: dict[str, Register] = {}
    at: dict[int, str] = {}
    for name, item in ControlTable.getControlTable(number).items():
        if not name.startswith(("Indirect", "External")) and item.address not in at:
            registers[name] = Register(item.address, item.size)
            at[item.address] = name
    has_current = "Present Current" in registers
    size = max(register.address + register.size for register in registers.values())
    return Table(
        number, registers, at, size,
        _CURRENT_LIMIT.get(model, 1193) if has_current else 0, _CURRENT_MA.get(model, 2.69) if has_current else None,
    )  # fmt: skip
