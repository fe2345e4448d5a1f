"""The arms this driver knows: servos, shadows, drive modes, limits, poses. Data only.

Source: interbotix_ros_manipulators, `interbotix_xsarm_control/config/{vx300s,wx250s}.yaml`; start pose and
joint names: `constants.py` of tonyzhaozh/aloha. A shadow servo sits on its primary's joint and obeys the primary's ID
(Secondary ID); nobody addresses it, but it is checked and watched.
"""

from typing import Literal, NamedTuple

from drivers.dynamixel.gripper import Linkage
from station.bus.messages import Chain, Hinge

ModelName = Literal["vx300s", "wx250s", "gello"]

CENTRE_TICKS = 2048
NO_SHADOW = 255


class Servo(NamedTuple):
    """One servo of an arm."""

    id: int
    name: str
    models: tuple[str, ...]
    """Models that may stand here (stems of the vendor's `.model` files)."""
    drive_mode: int | None = None
    """Bit 0: turns the other way; None = as it is."""
    limits_ticks: tuple[int, int] | None = None
    shadow_of: int | None = None


class ArmModel(NamedTuple):
    """One kind of arm. The last servo that is no shadow is the gripper."""

    servos: tuple[Servo, ...]
    baud: int
    centre_ticks: int
    """The tick that is 0 rad: 2048 for ALOHA's arms, 0 for GELLO."""
    linkage: Linkage | None
    sleep_rad: tuple[float, ...]
    """() for an arm that has no such pose."""
    start_rad: tuple[float, ...]
    chain: Chain | None = None
    gello: bool = False
    """A leader that somebody printed and built, to be read only."""

    @property
    def joints(self) -> tuple[Servo, ...]:
        """The servos that make the vector, gripper last."""
        return tuple(servo for servo in self.servos if servo.shadow_of is None)


VX300S_CHAIN = Chain(
    (
        Hinge("waist", (0, 0, 0.079)),
        Hinge("shoulder", (0, 0, 0.04805), axis=(0, 1, 0)),
        Hinge("elbow", (0.05955, 0, 0.3), axis=(0, 1, 0)),
        Hinge("forearm_roll", (0.2, 0, 0), axis=(1, 0, 0)),
        Hinge("wrist_angle", (0.1, 0, 0), axis=(0, 1, 0)),
        Hinge("wrist_rotate", (0.069744, 0, 0), axis=(1, 0, 0)),
    ),
    (0.138, 0, 0),
)
"""ViperX 300 6DOF: Interbotix's `vx300s.urdf.xacro`; the tip is where ALOHA's fingers meet. The tests compare it with the full
simulation model.
"""

_XM540, _XM430 = ("xm540_w270",), ("xm430_w350",)
_SMALL = ("xl430_w250", "xc430_w150", "xm430_w350")
"""Leader wrists and grippers differ between generations of the kit."""
_GELLO = (
    "xl330_m288",
    "xl330_m077",
    "xc330_m288",
    "xc330_m181",
    "xc330_t288",
    "xc330_t181",
    "xm430_w210",
    "xm430_w350",
    "xl430_w250",
)
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
_START = (0.0, -0.96, 1.16, 0.0, -0.3, 0.0)
_FULL = (0, 4095)

VX300S = ArmModel(
    (
        Servo(1, "waist", _XM540, 0, _FULL),
        Servo(2, "shoulder", _XM540, 1, (841, 2867)),
        Servo(3, "shoulder_shadow", _XM540, 0, (841, 2867), 2),
        Servo(4, "elbow", _XM540, 1, (898, 3094)),
        Servo(5, "elbow_shadow", _XM540, 0, (898, 3094), 4),
        Servo(6, "forearm_roll", _XM540, 0, _FULL),
        Servo(7, "wrist_angle", _XM540, 1, (830, 3504)),
        Servo(8, "wrist_rotate", _XM430, 0, _FULL),
        Servo(9, "gripper", _XM430, 0, _FULL),
    ),
    1_000_000,
    CENTRE_TICKS,
    Linkage(0.022, 0.036),
    (0.0, -1.85, 1.55, 0.0, 0.8, 0.0),
    _START,
    VX300S_CHAIN,
)
WX250S = ArmModel(
    (
        Servo(1, "waist", _XM430, 0, _FULL),
        Servo(2, "shoulder", _XM430, 0, (819, 3345)),
        Servo(3, "shoulder_shadow", _XM430, 1, (819, 3345), 2),
        Servo(4, "elbow", _XM430, 0, (648, 3094)),
        Servo(5, "elbow_shadow", _XM430, 1, (648, 3094), 4),
        Servo(6, "forearm_roll", _XM430, 0, _FULL),
        Servo(7, "wrist_angle", _XM430, 1, (910, 3447)),
        Servo(8, "wrist_rotate", _SMALL, 0, _FULL),
        Servo(9, "gripper", _SMALL, 0, _FULL),
    ),
    1_000_000,
    CENTRE_TICKS,
    Linkage(0.014, 0.024),
    (0.0, -1.80, 1.55, 0.0, 0.8, 0.0),
    _START,
)


class Ratings(NamedTuple):
    """What one model of servo is built for."""

    nominal_v: float
    least_v: float
    most_v: float
    hottest_c: float
    stall_ma: float
    """At the nominal voltage: near it Overload shuts the servo down."""


RATINGS = {
    "xm540_w270": Ratings(12.0, 10.0, 14.8, 80.0, 4400.0),
    "xm430_w350": Ratings(12.0, 10.0, 14.8, 80.0, 2300.0),
    "xm430_w210": Ratings(12.0, 10.0, 14.8, 80.0, 2300.0),
    "xl430_w250": Ratings(11.1, 6.5, 12.0, 72.0, 1300.0),
    "xc430_w150": Ratings(12.0, 6.5, 14.8, 80.0, 1400.0),
    "xl330_m288": Ratings(5.0, 3.7, 6.0, 70.0, 1470.0),
    "xl330_m077": Ratings(5.0, 3.7, 6.0, 70.0, 1470.0),
    "xc330_m288": Ratings(5.0, 3.7, 6.0, 70.0, 1800.0),
    "xc330_m181": Ratings(5.0, 3.7, 6.0, 70.0, 1800.0),
    "xc330_t288": Ratings(11.1, 6.5, 12.0, 70.0, 800.0),
    "xc330_t181": Ratings(11.1, 6.5, 12.0, 60.0, 800.0),
}
"""Source: ROBOTIS e-manual, Specifications of each model: Input Voltage (recommended, least, most), the upper end of Operating
Temperature, the stall current at the recommended voltage."""
WARM_SHARE, HOT_SHARE = 0.6875, 0.85
"""Of the hottest a servo may be, where it shuts down: 55 and 68 of 80 °C."""
SPARE_V = 0.6
"""A supply may be this much above the most a model is rated for: an XL430's 12.0 V on a 12 V supply that gives 12.4."""
_MA_PER_UNIT = {"xm540_w270": 2.69, "xm430_w350": 2.69, "xm430_w210": 2.69, "xl430_w250": None, "xc430_w150": None}
"""Unit of Present Current (e-manual); None where the register is Present Load in 0.1 %. X330 servos: 1 mA."""


def gello(ids: tuple[int, ...]) -> ArmModel:
    """A GELLO leader: no shadows, no EEPROM of its own; `ids` in the order of the joints, gripper last."""
    count = len(ids) - 1
    names = JOINTS if count == len(JOINTS) else tuple(f"joint_{n + 1}" for n in range(count))
    servos = tuple(Servo(servo_id, name, _GELLO) for servo_id, name in zip(ids, (*names, "gripper"), strict=True))
    return ArmModel(servos, 57_600, 0, None, (), (0.0,) * count, gello=True)


def renumbered(model: ArmModel, ids: tuple[int, ...]) -> ArmModel:
    """The same arm with other IDs, in the order of `servos`."""
    new = dict(zip((servo.id for servo in model.servos), ids, strict=True))
    servos = tuple(
        servo._replace(id=new[servo.id], shadow_of=None if servo.shadow_of is None else new[servo.shadow_of])
        for servo in model.servos
    )
    return model._replace(servos=servos)


def ma_per_unit(model: str) -> float | None:
    """MA per unit of register 126; None where it is a load in 0.1 %."""
    return _MA_PER_UNIT.get(model, 1.0)


def stall_ma(model: str) -> float | None:
    """Near this current the servo shuts itself down; None where that is not known, or it has no current sensor."""
    rated = RATINGS.get(model)
    return rated.stall_ma if rated is not None and ma_per_unit(model) is not None else None
