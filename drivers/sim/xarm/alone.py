"""A UFACTORY controller with nothing on its arm but a gripper, for `drivers.sim.network.alone`."""

from drivers.sim.network.joints import FreeArm, FreeFingers
from drivers.sim.xarm.stand_in import XArm
from station.clock import Clock

START_RAD = {
    5: (0.0, 0.0, -1.1, 1.1, 0.0),
    6: (0.0, 0.0, -1.1, 0.0, 1.1, 0.0),
    7: (0.0, 0.0, 0.0, 1.1, 0.0, 1.1, 0.0),
}


def make(
    address: str,
    clock: Clock,
    joints: float = 7,
    kind: float = 7,
    skew_ppm: float = 0.0,
    old: float = 0,
    robotiq: float = 0,
) -> XArm:
    """So many joints, that make, its clock faster by so much; `old`: a firmware without a clock in its reports; `robotiq`: one on its
    flange.
    """
    arm = FreeArm(START_RAD[round(joints)])
    return XArm(
        address,
        arm,
        FreeFingers(),
        clock,
        round(joints),
        round(kind),
        skew_ppm=skew_ppm,
        old=bool(old),
        robotiq=bool(robotiq),
    )
