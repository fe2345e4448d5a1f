"""What the page and the driver say to each other: JSON text, unknown fields refused, every number checked. Pure.

A hand whose numbers are none does not speak for the other: its pose is then missing, or the whole hand if its buttons
are. (A page's NaN arrives as null.)

The page speaks WebXR's axes (x right, y up, z back; quaternions x, y, z, w); the station x forward, y left, z up and w
first.
"""

from math import atan2, hypot, isfinite, sqrt
from typing import Annotated, NamedTuple

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
Number = float | None


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower, tag_field="kind"):
    pass


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hand as WebXR gives it; `p` and `q` null unless it is really tracked."""

    p: tuple[Number, Number, Number] | None
    q: tuple[Number, Number, Number, Number] | None
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
    """Both hands at the page's time `t`; each is a `Controller`, or null without one."""

    n: Count
    t: Milliseconds
    space: Count
    head: tuple[Number, Number, Number, Number] | None
    left: msgspec.Raw
    right: msgspec.Raw


class Press(_Said, frozen=True):
    """A button of the board was pressed."""

    name: Short


class Displayed(_Said, frozen=True):
    """A panel's picture is on screen: the next may come."""

    panel: Short


Said = Hello | Pong | Pose | Press | Displayed

_decoder = msgspec.json.Decoder(Said)
_controller = msgspec.json.Decoder(Controller | None)


class Malformed(ValueError):
    """What the page sent is no message."""


def decode(text: str) -> Said:
    """A message of the page. Raises Malformed."""
    try:
        said: Said = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
    return said


class Hands(NamedTuple):
    """A pose in the station's axes."""

    pose: HandPose
    bad: int
    """Hands of it whose numbers are no hand's."""


def hands(pose: Pose) -> Hands:
    """Take it into the station's axes. A hand with a bad pose is untracked, one with bad buttons is not there."""
    found, bad = [], 0
    for said in (pose.left, pose.right):
        try:
            controller = _controller.decode(said)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            controller, bad = None, bad + 1
        try:
            found.append(_hand(controller))
        except Malformed:
            bad += 1
            found.append(_hand(msgspec.structs.replace(controller, p=None, q=None)) if controller is not None else None)
    try:
        yaw = _yaw(pose.head)
    except Malformed:
        yaw = None
    return Hands(HandPose(found[0], found[1], yaw, pose.space), bad)


def _hand(controller: Controller | None) -> Hand | None:
    if controller is None:
        return None
    position = quaternion = None
    if controller.p is not None and controller.q is not None:
        x, y, z = (_number(value) for value in controller.p)
        if max(abs(x), abs(y), abs(z)) > FARTHEST_M:
            raise Malformed("a hand farther away than any room is long")
        position, quaternion = (-z, -x, y), _turned(controller.q)
    return Hand(
        position, quaternion, controller.grip, controller.trigger, *controller.stick, controller.pressed,
        controller.a, controller.b,
    )  # fmt: skip


def _number(value: Number) -> float:
    if value is None or not isfinite(value):
        raise Malformed("a number that is none")
    return value


def _turned(q: tuple[Number, Number, Number, Number]) -> tuple[float, float, float, float]:
    numbers = [_number(value) for value in q]
    norm = sqrt(sum(value * value for value in numbers))
    if not (isfinite(norm) and abs(norm - 1) < 0.02):
        raise Malformed("a quaternion that is none")
    x, y, z, w = (value / norm for value in numbers)
    return (w, -z, -x, y)


def _yaw(head: tuple[Number, Number, Number, Number] | None) -> float | None:
    if head is None:
        return None
    w, x, y, z = _turned(head)
    forward, left = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z)
    return atan2(left, forward) if hypot(forward, left) > _PITCHED else None
