"""What the policy runner is asked."""

from station.borders.bounds import PathText, Text
from station.bus.requests.request import Request


class LoadPolicy(Request, frozen=True):
    """Load the policy in `folder`, check it against the rig, warm it up. Done once it may start.

    Takes seconds to minutes: ask patiently.
    """

    folder: PathText
    instruction: Text = ""
    """What a language-conditioned policy is told, in place of what its folder says."""
    blind: bool = False
    """Somebody judges it who is not to know which it is: nothing that the runner says, or writes into a log, names it."""


class StartPolicy(Request, frozen=True):
    """Begin a rollout: infer, and ask the pilot at every tick. Done once the first setpoint is out; then the
    pilot may engage it.

    With `shadow` the setpoints go to the stream `command/policy_shadow`, which no pilot hears: nothing moves.
    """

    shadow: bool = False


class StopPolicy(Request, frozen=True):
    """End the rollout: nothing is asked any more. The policy stays loaded."""


PolicyRequest = LoadPolicy | StartPolicy | StopPolicy
