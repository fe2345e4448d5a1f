"""What happens between "the port is open" and "the arm may be used": who is there, what is set, what must be set.

EEPROM is written only on servos whose torque is already off; with torque on and a wrong value, bring-up refuses and says
how to support the arm. Torque itself is never touched here.
"""

from collections.abc import Iterator
from typing import NamedTuple

from drivers.dynamixel import models
from drivers.dynamixel.bus import Bus
from drivers.dynamixel.control_table import model_names, register
from drivers.dynamixel.models import Servo
from drivers.dynamixel.settings import DynamixelSettings
from station.errors import DeviceMissing, DeviceWrong

BLOCK_LENGTH = 147
"""Registers 0…146: everything that is checked."""
POSITION_MODE, CURRENT_BASED_POSITION_MODE = 3, 5
_ROUNDS = 4


class Found(NamedTuple):
    """What bring-up found."""

    models: dict[int, str]
    blocks: dict[int, bytes]
    firmware: str
    changed: tuple[str, ...]
    """What was not as it must be, and was set."""


class BringUp:
    """Checks one arm."""

    def __init__(self, bus: Bus, settings: DynamixelSettings, role: str) -> None:
        self._bus, self._settings, self._role = bus, settings, role
        self._arm = settings.arm
        self._changed: list[str] = []

    def run(self, scan: bool) -> Found:
        """Check and set; `scan`: look for foreign servos too (0.8 s). DeviceMissing, DeviceWrong, DeviceSilent."""
        found = self._find_servos()
        self._check_roll(found, self._bus.scan() if scan and None not in found.values() else {})
        names = {servo_id: model_names().get(number or 0, str(number)) for servo_id, number in found.items()}
        # a shadow obeys what is written to its primary's ID, EEPROM included: primaries first, then look at the shadows
        primaries = {servo.id: self._set(servo) for servo in self._arm.servos if servo.shadow_of is None}
        shadows = {servo.id: self._set(servo) for servo in self._arm.servos if servo.shadow_of is not None}
        blocks = primaries | shadows
        versions = sorted({register("Firmware Version").of(block, 0) for block in blocks.values()})
        return Found(names, blocks, ", ".join(map(str, versions)), tuple(self._changed))

    def _find_servos(self) -> dict[int, int | None]:
        found: dict[int, int | None] = dict.fromkeys(servo.id for servo in self._arm.servos)
        for round_ in range(_ROUNDS):
            for servo_id, number in found.items():
                if number is None:
                    found[servo_id] = self._bus.ping(servo_id)
            if None not in found.values() or (round_ and not any(found.values())):
                break
        return found

    def _check_roll(self, found: dict[int, int | None], everybody: dict[int, int]) -> None:
        missing = [servo for servo in self._arm.servos if found[servo.id] is None]
        expected = f"the {len(found)} servos of a {self._settings.model}"
        if len(missing) == len(found):
            raise DeviceMissing(
                self._bus.device, self._bus.port, f"{expected} at {self._settings.wire_baud} baud", "no servo answers",
                "switch the arm's power supply on, check the cable from the adapter to the arm, and the baud",
            )  # fmt: skip
        foreign = {servo_id: number for servo_id, number in everybody.items() if servo_id not in found}
        if missing:
            raise DeviceMissing(
                self._bus.device, self._bus.port, expected, f"no answer from {_named(missing)}{_strangers(foreign)}",
                f"check the cable to {missing[0].name} and behind it; a servo whose LED blinks has shut down: "
                "switch the arm's power off and on, arm supported",
            )  # fmt: skip
        wrong = [s for s in self._arm.servos if model_names().get(found[s.id] or 0) not in s.models]
        if wrong:
            what = ", ".join(
                f"{s.name} (ID {s.id}) is a {_model(found[s.id])}, not {' or '.join(s.models)}" for s in wrong
            )
            raise DeviceWrong(
                self._bus.device, self._bus.port, expected, what,
                "check that the cables of two arms are not swapped, and the rig file's model",
            )  # fmt: skip
        if foreign:
            raise DeviceWrong(
                self._bus.device, self._bus.port, expected, f"also{_strangers(foreign)}",
                "take the strange servo off the bus, or correct ids in the rig file",
            )  # fmt: skip

    def _set(self, servo: Servo) -> bytes:
        """Bring one servo's EEPROM to what it must be; returns its registers."""
        block = self._bus.read(servo.id, 0, BLOCK_LENGTH)
        wrong = list(self._differences(servo, block))
        if not wrong:
            return block
        told = ", ".join(f"{name} {found} instead of {wanted}" for name, found, wanted in wrong)
        if register("Torque Enable").of(block, 0):
            raise DeviceWrong(
                self._bus.device, self._bus.port, f"{servo.name} (ID {servo.id}) set up for a {self._role}",
                f"{told}, and its torque is on",
                "this is only changed with torque off, and then the arm falls: hold the arm with both hands (or lay "
                "it into its sleep pose), switch its power off and on, then open again",
            )  # fmt: skip
        for name, _, wanted in wrong:
            item = register(name)
            error = self._bus.write(servo.id, item.address, item.bytes(wanted))
            if error:
                raise self._stubborn(servo, name, wanted, f"error {error}")
        block = self._bus.read(servo.id, 0, BLOCK_LENGTH)
        for name, found, wanted in self._differences(servo, block):
            raise self._stubborn(servo, name, wanted, str(found))
        self._changed.append(f"{servo.name}: set {told}")
        return block

    def _differences(self, servo: Servo, block: bytes) -> Iterator[tuple[str, int, int]]:
        for name, wanted in self._wanted(servo).items():
            found = register(name).of(block, 0)
            no_shadow = name == "Secondary(Shadow) ID" and wanted > 252 and found > 252
            if found != wanted and not no_shadow:
                yield name, found, wanted

    def _wanted(self, servo: Servo) -> dict[str, int]:
        wanted = {"Return Delay Time": 0}
        if servo.limits_ticks is None:  # a GELLO's servos are its builder's business
            return wanted
        low, high = servo.limits_ticks
        gripper = self._role == "follower" and servo is self._arm.servos[-1]
        wanted |= {
            "Operating Mode": CURRENT_BASED_POSITION_MODE if gripper else POSITION_MODE,
            "Drive Mode": servo.drive_mode or 0,
            "Secondary(Shadow) ID": models.NO_SHADOW if servo.shadow_of is None else servo.shadow_of,
            "Min Position Limit": low,
            "Max Position Limit": high,
        }
        if gripper:
            wanted["Current Limit"] = self._settings.gripper_current_limit
        return wanted

    def _stubborn(self, servo: Servo, name: str, wanted: int, found: str) -> DeviceWrong:
        return DeviceWrong(
            self._bus.device, self._bus.port, f"{servo.name} (ID {servo.id}) to take {name} {wanted}", found,
            "switch the arm's power off and on; if it stays, look at the servo with Dynamixel Wizard",
        )  # fmt: skip


def _named(servos: list[Servo]) -> str:
    return ", ".join(f"{servo.name} (ID {servo.id})" for servo in servos)


def _model(number: int | None) -> str:
    return model_names().get(number or 0, f"model {number}")


def _strangers(foreign: dict[int, int]) -> str:
    return "".join(f" a strange {_model(number)} with ID {servo_id}" for servo_id, number in foreign.items())
