"""Which arms go to their sleep pose, and letting go of them there: both are an operator's act, never the pilot's own."""

from station.bus.requests import Done, Park, Refused, Reply
from station.control.arms import Answer, Arm, Arms, Ports, has_pose
from station.control.leave import let_go


def to_be_parked(arms: Arms, request: Park, now_ns: int) -> list[Arm] | Reply:
    """Who goes: those named, or everybody with torque. A reply where nobody can, or nobody has to."""
    found = {name: arms.find(name) for name in request.arms}
    unknown = [name for name, arm in found.items() if arm is None]
    if unknown:
        known = ", ".join((*arms.followers, *arms.leaders))
        return Refused(f"{unknown[0]} is no arm of this rig: {known}")
    everybody = [*arms.followers.values(), *(arms.leaders[name] for name in arms.stiff())]
    named = [arm for arm in found.values() if arm is not None] or everybody
    targets = [arm for arm in named if arm.state is not None and arm.state.torque]
    poseless = [arm.node for arm in targets if not has_pose(arm, [d.sleep for d in arm.dimensions])]
    if poseless:
        return Refused(f"{poseless[0]} describes no sleep pose: move it by hand, or add the pose to its driver")
    if not targets:
        silent = next((why for why in (arm.missing(now_ns) for arm in named) if why), "")
        return Refused(silent) if silent else Done("no arm has torque: nothing to park")
    return targets


def release(arms: list[str], ports: Ports, answer: Answer) -> None:
    """Torque off, one arm after the other; the first refusal ends it."""
    if not arms:
        answer(Done("parked and released"))
        return

    def answered(reply: Reply) -> None:
        if isinstance(reply, Refused):
            answer(Refused(f"parked, but {arms[0]} keeps its torque: {reply.why}"))
        else:
            release(arms[1:], ports, answer)

    let_go(arms[0], "parked", ports, answered)
