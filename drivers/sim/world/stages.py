"""The scenes there are: a model, its physics, and what the scripted operator does in it. Each is loaded when it is asked for."""

from typing import Any

from drivers.sim.operator.script import Script

SCENES = ("handover", "pick", "pick_two_ur5e", "pick_xarm7", "pick_fr3")
"""`pick` is one UR5e's; the others say whose they are."""


def robot(scene: str) -> Any:
    """The arm on the network that a scene has (`links.Robot`); None for one without."""
    if scene == "pick":
        from drivers.sim.world.ur5e import UR5E

        return UR5E
    if scene == "pick_two_ur5e":
        from drivers.sim.world.ur5e import TWO_UR5E

        return TWO_UR5E
    if scene == "pick_xarm7":
        from drivers.sim.world.xarm7 import XARM7

        return XARM7
    if scene == "pick_fr3":
        from drivers.sim.world.fr3 import FR3

        return FR3
    return None


def model(scene: str) -> Any:
    """Its compiled model (MjModel)."""
    if (picker := robot(scene)) is not None:
        from drivers.sim.world.pick_model import scene_model as pick_model

        return pick_model(picker)
    from drivers.sim.world.model import scene_model

    return scene_model()


def physics(scene: str) -> Any:
    """Its physics, at rest."""
    if (picker := robot(scene)) is not None:
        from drivers.sim.world.pick_scene import PickScene

        return PickScene(picker)
    from drivers.sim.world.scene import Scene

    return Scene()


def script(scene: str) -> Script:
    """Its operator's."""
    if (picker := robot(scene)) is not None:
        from drivers.sim.operator.pick import picking

        return picking(picker)
    from drivers.sim.operator.script import HAND_OVER

    return HAND_OVER
