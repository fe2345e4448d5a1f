"""What the page and the driver say to each other: JSON text, unknown fields refused, every number checked. Pure.

The page speaks WebXR's axes (x right, y up, z back; quaternions x, y, z, w); the station x forward, y left, z up and w
first.
"""

from math import atan2, hypot, isfinite, sqrt
from typing import Annotated

import msgspec

from station.bus.messages import Hand, HandPose

LONGEST_BYTES = 4096
"""No message of the page is longer."""
FARTHEST_M = 50.0
_PITCHED = 0.3
"""Looking this steeply up or down, a head has no yaw worth the name."""

Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
Stick = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Short = Annotated[str, msgspec.Meta(max_length=64)]


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower, tag_field="kind"):
    pass


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hand as WebXR gives it; `p` and `q` null unless it is really tracked."""

    p: tuple[float, float, float] | None
    q: tuple[float, float, float, float] | None
    grip: Part
    trigger: Part
    stick: tuple[Stick, Stick]
    pressed: bool
    a: bool
    b: bool


class Hello(_Said, frozen=True):
    """The first message: the pairing code, or the token of an earlier welcome."""

    code: Short = ""
    token: Short = ""


class Pong(_Said, frozen=True):
    """The answer to a ping: the page's clock, ms."""

    n: Count
    t: Milliseconds


class Pose(_Said, frozen=True):
    """Both hands at the page's time `t`."""

    n: Count
    t: Milliseconds
    space: Count
    head: tuple[float, float, float, float] | None
    left: Controller | None
    right: Controller | None


class Press(_Said, frozen=True):
    """A button of the board was pressed."""

    name: Short


class Shown(_Said, frozen=True):
    """A panel's picture is on screen: the next may come."""

    panel: Short


Said = Hello | Pong | Pose | Press | Shown

_decoder = msgspec.json.Decoder(Said)


class Malformed(ValueError):
    """What the page sent is no message."""


def decode(text: str) -> Said:
    """A message of the page. Raises Malformed."""
    try:
        said: Said = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
    return said


def hand_pose(pose: Pose) -> HandPose:
    """In the station's axes. Raises Malformed for numbers that are no pose."""
    return HandPose(_hand(pose.left), _hand(pose.right), _yaw(pose.head), pose.space)


def _hand(controller: Controller | None) -> Hand | None:
    if controller is None:
        return None
    position = quaternion = None
    if controller.p is not None and controller.q is not None:
        x, y, z = controller.p
        if not all(isfinite(value) and abs(value) <= FARTHEST_M for value in controller.p):
            raise Malformed("a hand farther away than any room is long")
        position, quaternion = (-z, -x, y), _turned(controller.q)
    return Hand(
        position, quaternion, controller.grip, controller.trigger, *controller.stick, controller.pressed,
        controller.a, controller.b,
    )  # fmt: skip


def _turned(q: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    norm = sqrt(sum(value * value for value in q))
    if not (isfinite(norm) and abs(norm - 1) < 0.02):
        raise Malformed("a quaternion that is none")
    x, y, z, w = (value / norm for value in q)
    return (w, -z, -x, y)


def _yaw(head: tuple[float, float, float, float] | None) -> float | None:
    if head is None:
        return None
    w, x, y, z = _turned(head)
    forward, left = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z)
    return atan2(left, forward) if hypot(forward, left) > _PITCHED else None
