"""The crank that turns a gripper's servo into the way of its fingers. Pure.

Source of the formula: `xs_sdk_obj.cpp` of interbotix_ros_core (its slider–crank, horn h and arm L):
position = h·sin θ + √(L² − h²·cos² θ).
"""

from math import cos, sin, sqrt


def finger_m(angle_rad: float, horn_m: float, arm_m: float) -> float:
    """The finger's position, m, at the servo's angle."""
    across = horn_m * cos(angle_rad)
    return horn_m * sin(angle_rad) + sqrt(arm_m**2 - across**2)
