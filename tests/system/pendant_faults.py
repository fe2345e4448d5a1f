"""What may happen to an arm on the network, make by make: what is pressed at its simulated controller, what the screen says of it, what
people do about it. `arm_faults` does them in a whole rig.
"""

from typing import NamedTuple

Pressed = tuple[tuple[str, float], ...]
"""Words of the controller's control line (`PressPendant`), and a number for each."""


class Fault(NamedTuple):
    """One of them."""

    name: str
    pressed: Pressed
    says: str = ""
    """What the screen names it; "" where nothing is wrong, and nothing is said."""
    act: str = ""
    """The next act, as the screen has it."""
    ended: Pressed = ()
    """What ends it: a cable put back, a button released."""
    recover: bool = False
    """Does an operator's `station recover` have to end it?"""
    goes_on: bool = False
    """Does the recording go on meanwhile?"""
    holds: float = -1.0
    """How wide what its fingers hold beforehand is; below 0: nothing."""


def _everywhere(silence: str, delays: bool = True) -> tuple[Fault, ...]:
    """Of the network, of clocks, of fingers: the same for every make. `silence`: what a link without a word is told as; `delays`: can the
    simulated controller's link have some?
    """
    lan = (
        Fault(
            "latency and jitter of a LAN", (("latency_ms", 2), ("jitter_ms", 6)),
            ended=(("latency_ms", 0), ("jitter_ms", 0)), goes_on=True,
        ),
    )  # fmt: skip
    return (
        Fault("silent link", (("silent", 1),), silence, "look at the network cable", (("silent", 0),)),
        Fault("closed sockets", (("hang_up", 0),), "found", "look at the network cable"),
        Fault("clock + 100 ppm", (("skew_ppm", 100),), ended=(("skew_ppm", 0),), goes_on=True),
        Fault("clock - 100 ppm", (("skew_ppm", -100),), ended=(("skew_ppm", 0),), goes_on=True),
        *(lan if delays else ()),
        Fault(
            "object dropped", (("object", -1),), "has lost what it held", "look where it lies", goes_on=True, holds=0.7,
        ),
    )  # fmt: skip


FAULTS: dict[str, tuple[Fault, ...]] = {
    "ur5e": (
        Fault("protective stop", (("protective_stop", 0),), "protective stop", "station recover", recover=True),
        Fault(
            "emergency stop", (("emergency_stop", 0),), "emergency stop", "release the button", (("release", 0),), True
        ),
        Fault("safeguard", (("safeguard", 0),), "a safeguard is open", "close and reset it", (("release", 0),), True),
        Fault(
            "speed slider at 50 %", (("slider", 0.5),), "speed slider stands at 50 %", "set it to 100 %", (("slider", 1),),
            goes_on=True,
        ),
        Fault("local mode", (("remote", 0),), "local control", "switch it to remote control", (("remote", 1),)),
        Fault("program stopped at the pendant", (("program_stop", 0),), "its program has ended", "started again"),
        *_everywhere("no word from the controller"),
    ),
    "xarm7": (
        Fault("collision", (("collision", 0),), "it ran into something (C31)", "station recover", recover=True),
        Fault(
            "emergency stop", (("emergency_stop", 0),), "emergency stop on its control box", "release the button", (("release", 0),), True
        ),
        Fault("servo error", (("error", 12),), "servo 2 reports an error (C12)", "station recover", recover=True),
        Fault("fingertips too fast", (("error", 60),), "too fast (C60)", "station recover", recover=True),
        Fault("stopped in Studio", (("stop", 0),), "it follows no more", "told to follow again"),
        Fault("another mode in Studio", (("mode", 0),), "it follows no more", "told to follow again"),
        *_everywhere("no word from the controller"),
    ),
    "fr3": (
        Fault("joint reflex", (("reflex", 6),), "(joint_reflex)", "station recover", recover=True),
        Fault("commands too late", (("reflex", 25),), "communication_constraints_violation", "station recover", recover=True),
        Fault("stop pressed", (("user_stop", 0),), "its stop is pressed", "release it", (("release", 0),), True),
        Fault("guided by hand", (("guide", 0),), "a hand guides it", "let go of them", (("release", 0),)),
        Fault("joints locked in Desk", (("lock", 0),), "its joints are locked", "unlock them", (("release", 0),)),
        *_everywhere("no word from the controller", delays=False),
    ),
}  # fmt: skip
"""By the follower's model."""
