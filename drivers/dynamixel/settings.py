"""The rig file's keys of a Dynamixel arm. No vendor SDK here: the rig loader checks rig files with this module."""

import math

import msgspec

from drivers.dynamixel import gripper, models
from drivers.dynamixel.budget import cycle_ms
from drivers.dynamixel.gripper import CURRENT_LIMIT, FOLLOWER, LEADER, Generation, Travel
from station.borders import rules

_BAUDS = (57_600, 115_200, 1_000_000, 2_000_000, 3_000_000, 4_000_000)


class Gripper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gripper's own travel, instead of a generation's: servo angle (rad) and finger position (m), open and closed.

    What is left out follows from the rest through the arm's linkage; what contradicts it is refused. A gello has no linkage
    and needs the angles.
    """

    open_rad: float | None = None
    close_rad: float | None = None
    open_m: float | None = None
    close_m: float | None = None


class DynamixelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One arm: `wx250s`, `vx300s` or `gello`."""

    model: models.ModelName
    port: str
    rate_hz: float = 200.0
    generation: Generation | None = None
    gripper: Gripper | None = None
    """A travel of its own, `{open_rad, close_rad, open_m, close_m}`: what is left out follows from the linkage (a gello has none)."""
    ids: tuple[int, ...] | None = None
    """Servo IDs in the order of the arm's servos, shadows included, gripper last."""
    offsets_rad: tuple[float, ...] | None = None
    """Taken off each joint's angle, gripper left out: q = sign · (angle − offset)."""
    signs: tuple[int, ...] | None = None
    baud: int | None = None
    fast_sync_read: bool = False
    """One reply for all servos instead of one from each: shorter on the wire, but one spoilt byte spoils it for all. Every
    servo's firmware must know Fast Sync Read.
    """

    def __post_init__(self) -> None:
        rules.keep(self._check_port, self._check_gripper, self._check_numbers, self._check_servos)

    def _check_servos(self) -> None:
        rules.keep(self._check_ids, self._check_baud)
        rules.keep(self._check_offsets, self._check_signs, self._check_rate)  # these count the servos

    def _check_port(self) -> None:
        if not self.port:
            raise ValueError("port is empty: give the device, such as /dev/ttyDXL_leader_left")

    @property
    def arm(self) -> models.ArmModel:
        """The arm's table with this rig's IDs."""
        if self.model == "gello":
            return models.gello(self.ids or tuple(range(1, 8)))
        table = models.VX300S if self.model == "vx300s" else models.WX250S
        return models.renumbered(table, self.ids) if self.ids else table

    @property
    def wire_baud(self) -> int:
        """The bus's baud."""
        return self.baud or self.arm.baud

    def travel(self, role: str) -> Travel:
        """The gripper's travel for a leader or a follower."""
        if self.gripper is not None:
            return gripper.travel(gripper.Ends(*msgspec.structs.astuple(self.gripper)), self.arm.linkage)
        table = FOLLOWER if role == "follower" else LEADER
        return table[self.generation or "aloha1"]

    @property
    def gripper_current_limit(self) -> int:
        """A follower gripper's Current Limit register."""
        return CURRENT_LIMIT[self.generation or "aloha1"]

    def _check_ids(self) -> None:
        if self.ids is None:
            return
        if len(set(self.ids)) != len(self.ids) or not all(0 <= servo_id <= 252 for servo_id in self.ids):
            raise ValueError(f"ids {list(self.ids)} must be different numbers from 0 to 252")
        table = {"vx300s": models.VX300S, "wx250s": models.WX250S}.get(self.model)
        if table is not None and len(self.ids) != len(table.servos):
            names = ", ".join(servo.name for servo in table.servos)
            raise ValueError(f"ids has {len(self.ids)} numbers, a {self.model} has {len(table.servos)}: {names}")
        if len(self.ids) < 2:
            raise ValueError("ids needs at least one joint and the gripper")

    def _check_gripper(self) -> None:
        if self.generation is not None and self.gripper is not None:
            raise ValueError("give generation or gripper, not both")
        if self.model == "gello" and self.gripper is None:
            raise ValueError(
                "a gello needs gripper: {open_rad, close_rad}, the servo's angles (rad) released and squeezed"
            )
        if self.generation is None and self.gripper is None:
            raise ValueError(
                "give generation: aloha1, mobile or aloha2, or gripper: {open_rad, close_rad, open_m, close_m}"
            )
        if self.gripper is not None:
            try:
                self.travel("follower")
            except ValueError as error:
                raise ValueError(f"gripper: {error}") from error

    def _check_offsets(self) -> None:
        if self.model == "gello" and self.offsets_rad is None:
            raise ValueError(
                f"a gello needs offsets_rad, {len(self.arm.joints) - 1} numbers (`station calibrate gello` finds them)"
            )
        self._check_length("offsets_rad", self.offsets_rad)

    def _check_signs(self) -> None:
        self._check_length("signs", self.signs)

    def _check_length(self, name: str, values: tuple[float, ...] | None) -> None:
        count = len(self.arm.joints) - 1
        if values is not None and len(values) != count:
            raise ValueError(f"{name} has {len(values)} numbers, the arm has {count} joints (the gripper left out)")

    def _check_numbers(self) -> None:
        if not all(math.isfinite(offset) for offset in self.offsets_rad or ()):
            raise ValueError("offsets_rad must be finite numbers")
        if not all(sign in (-1, 1) for sign in self.signs or ()):
            raise ValueError("signs are 1 or -1")

    def _check_baud(self) -> None:
        if self.baud is not None and self.baud not in _BAUDS:
            raise ValueError(f"baud {self.baud} is none a servo knows: {', '.join(map(str, _BAUDS))}")

    def _check_rate(self) -> None:
        if not 1.0 <= self.rate_hz <= 1000.0:
            raise ValueError(f"rate_hz {self.rate_hz} must be 1 to 1000")
        servos = len(self.arm.joints)
        cycle = cycle_ms(self.wire_baud, servos, writes=self.model != "gello")
        if cycle > 0.9 * 1000.0 / self.rate_hz:
            fits = int(0.9 * 1000.0 / cycle)
            raise ValueError(
                f"rate_hz {self.rate_hz:g} does not fit {self.wire_baud} baud: {servos} servos take {cycle:.1f} ms a "
                f"cycle; use rate_hz: {fits} or less, or set the servos to 1 Mbaud (Baud Rate 3) and baud: 1000000"
            )
