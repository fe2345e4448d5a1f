"""What the world of a simulated rig is asked; drivers may offer more, such as faults."""

from station.borders.bounds import Count, PathText, Seconds
from station.bus.requests.request import Request


class PrepareScene(Request, frozen=True):
    """Put the scene as it is at the start of this episode. Done when the scripted operator waits there."""

    episode: Count


class ScoreScene(Request, frozen=True):
    """Has the scene's task been done since its scene was prepared? Done says `done` or `not done`; a world without a task
    refuses.
    """


class SaveTruth(Request, frozen=True):
    """Write what really happened lately to `path` (NPZ): where the leaders' shafts were, when goals reached the servos.

    Per arm node `<node>_t_ns` int64 (N,) and `<node>_rad` float64 (N, 7): six joints and the gripper's servo, rad, in the
    arm's own frame. Leaders: the hand's path, 1000 a second. Followers: goal registers, one row per accepted write, and per
    servo how often its torque went off since the world began (`<node>_torque_losses` int64). Followers on the network: where their
    joints were, (N, J), every cycle of their controller, and what happened to it: `<node>_event_ns` int64 (M,), `<node>_event` str (M,).
    """

    path: PathText
    seconds: Seconds = 10.0


SceneRequest = PrepareScene | ScoreScene | SaveTruth
