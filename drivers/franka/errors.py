"""What stops a Franka arm, by libfranka's names (`franka::Errors`), and what to do. The order is that of the bits in `states`."""

from collections.abc import Iterator

_AWAY = "move it back by hand, its buttons pressed"
_LOOK = "look at Desk"
_LEADER = "look where its leader is"
_SLOWER = "lower safety.velocity_rad_s"
ERRORS = {
    "joint_reflex": ("it ran into something, as a joint's torque says", "look what it was, and clear it"),
    "cartesian_reflex": ("it ran into something, as the force at its hand says", "look what it was, and clear it"),
    "communication_constraints_violation": (
        "too many commands came too late",
        "a real-time kernel and a cable of its own: docs/guide/franka.md",
    ),
    "joint_position_limits_violation": ("a joint is beyond its limit", _AWAY),
    "cartesian_position_limits_violation": ("it is beyond one of its virtual walls", _AWAY),
    "self_collision_avoidance_violation": ("it would run into itself", _AWAY),
    "joint_velocity_violation": ("a joint was too fast", _SLOWER),
    "cartesian_velocity_violation": ("its hand was too fast", _SLOWER),
    "power_limit_violation": ("it needed more power than it may have", _SLOWER),
    "controller_torque_discontinuity": ("its torques leapt", "lower impedance.stiffness_nm_rad in the rig file"),
    "tau_j_range_violation": (
        "a joint's torque was beyond what is measured",
        "look what pushes it, and at its payload",
    ),
    "instability_detected": ("it began to shake", "lower impedance.stiffness_nm_rad, look at its payload in Desk"),
    "force_control_safety_violation": ("its force went beyond what is safe", "look what it was, and clear it"),
    "force_controller_desired_force_tolerance_violation": ("a force was asked for that it did not reach", _LOOK),
    "joint_move_in_wrong_direction": ("a joint beyond its limit went on outwards", _AWAY),
    "base_acceleration_initialization_timeout": (
        "it does not know which way is down",
        "leave it still, then look at Desk",
    ),
    "base_acceleration_invalid_reading": ("its base was shaken", "fix its base, look at Desk"),
    "start_elbow_sign_inconsistent": ("its elbow stands where it may not begin", _AWAY),
    "max_goal_pose_deviation_violation": ("it did not arrive where it was sent", _LOOK),
    "max_path_pose_deviation_violation": ("it left its path", _LOOK),
    "cartesian_velocity_profile_safety_violation": ("its way was not safe", _LOOK),
    "joint_position_motion_generator_start_pose_invalid": ("a motion did not begin where it is", _LEADER),
    "joint_motion_generator_position_limits_violation": ("a joint was sent beyond its limit", _LEADER),
    "joint_motion_generator_velocity_limits_violation": ("a joint was asked to be too fast", _SLOWER),
    "joint_motion_generator_velocity_discontinuity": ("a joint's speed was asked to leap", _LEADER),
    "joint_motion_generator_acceleration_discontinuity": ("a joint's acceleration was asked to leap", _LEADER),
    "cartesian_position_motion_generator_start_pose_invalid": ("a motion did not begin where it is", _LEADER),
    "cartesian_motion_generator_elbow_limit_violation": ("its elbow was sent beyond its limit", _LEADER),
    "cartesian_motion_generator_velocity_limits_violation": ("its hand was asked to be too fast", _SLOWER),
    "cartesian_motion_generator_velocity_discontinuity": ("its hand's speed was asked to leap", _LEADER),
    "cartesian_motion_generator_acceleration_discontinuity": ("its hand's acceleration was asked to leap", _LEADER),
    "cartesian_motion_generator_elbow_sign_inconsistent": ("its elbow was asked to turn over", _LEADER),
    "cartesian_motion_generator_start_elbow_invalid": ("a motion did not begin where its elbow is", _LEADER),
    "cartesian_motion_generator_joint_position_limits_violation": ("a joint was sent beyond its limit", _LEADER),
    "cartesian_motion_generator_joint_velocity_limits_violation": ("a joint was asked to be too fast", _SLOWER),
    "cartesian_motion_generator_joint_velocity_discontinuity": ("a joint's speed was asked to leap", _LEADER),
    "cartesian_motion_generator_joint_acceleration_discontinuity": (
        "a joint's acceleration was asked to leap",
        _LEADER,
    ),
    "cartesian_position_motion_generator_invalid_frame": ("a pose was asked for that is none", _LEADER),
    "cartesian_spline_motion_generator_violation": ("its way was not possible", _LOOK),
    "joint_via_motion_generator_planning_joint_limit_violation": ("its way would have left a joint's limits", _LOOK),
    "joint_p2p_insufficient_torque_for_planning": (
        "it is not strong enough for its way",
        "look at its payload in Desk",
    ),
}
NAMES = tuple(ERRORS)


def bits(errors: object) -> int:
    """`franky.Errors` as one number, a bit each; errors of a newer library that are not in the table are left out."""
    return sum(1 << place for place, name in enumerate(NAMES) if getattr(errors, name, False))


def names(of: int) -> Iterator[str]:
    """Which they are, the gravest first."""
    return (name for place, name in enumerate(NAMES) if of >> place & 1)


def told(of: int) -> tuple[str, str]:
    """What they say, with libfranka's names, and what to do about the gravest."""
    found = list(names(of))
    if not found:
        return "", ""
    what = "; ".join(f"{ERRORS[name][0]} ({name})" for name in found)
    return what, ERRORS[found[0]][1]


def in_text(said: str) -> int:
    """Those that an exception's text names."""
    return sum(1 << place for place, name in enumerate(NAMES) if name in said)
