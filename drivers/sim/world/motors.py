"""What every simulated arm is driven by: motors that hold a position, and two fingers that move as one."""

from typing import Any

import mujoco


def add_motor(spec: Any, joint: str, kp: float, kv: float, range_: tuple[float, float], most: float) -> None:
    """A motor for that joint of the scene (MjSpec): force kp·(goal − q) − kv·q̇, at most `most` (N or Nm), goals within `range_`."""
    actuator = spec.add_actuator(
        name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT, gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE, ctrllimited=1, ctrlrange=range_, forcelimited=1, forcerange=(-most, most),
    )  # fmt: skip
    actuator.gainprm[0], actuator.biasprm[1], actuator.biasprm[2] = kp, -kp, -kv


def couple_fingers(spec: Any, arm: str) -> None:
    """Its right finger goes where its left one goes, the other way round; the two do not collide."""
    spec.add_exclude(bodyname1=f"{arm}/left_finger_link", bodyname2=f"{arm}/right_finger_link")
    coupled = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
    coupled.name1, coupled.name2 = f"{arm}/right_finger", f"{arm}/left_finger"
    coupled.data[:5] = (0, -1, 0, 0, 0)
    coupled.solref = (0.005, 1)
