"""The scenes there are: a model, its physics, and what the scripted operator does in it. Each is loaded when it is asked for."""

from typing import Any

from drivers.sim.operator.script import Script

SCENES = ("handover", "pick")


def model(scene: str) -> Any:
    """Its compiled model (MjModel)."""
    if scene == "pick":
        from drivers.sim.world.pick_model import scene_model as pick_model

        return pick_model()
    from drivers.sim.world.model import scene_model

    return scene_model()


def physics(scene: str) -> Any:
    """Its physics, at rest."""
    if scene == "pick":
        from drivers.sim.world.pick_scene import PickScene

        return PickScene()
    from drivers.sim.world.scene import Scene

    return Scene()


def script(scene: str) -> Script:
    """Its operator's."""
    if scene == "pick":
        from drivers.sim.operator.pick import PICK

        return PICK
    from drivers.sim.operator.script import HAND_OVER

    return HAND_OVER
