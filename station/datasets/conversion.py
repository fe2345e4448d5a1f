"""How rows become frames: what can be chosen at an export, besides what goes in (the selection). Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from station.datasets.frames import ActionAt, Representation
from station.datasets.rows_kept import ActionOf
from station.errors import UsageError

Video = Literal["h264", "av1", "as-shot", "jpeg", "raw"]
"""Encoded anew into video files · the camera's own JPEGs, untouched · a JPEG encoded anew of each frame · pixels."""
Space = Literal["joint", "ee", "ee-6d"]
"""Joints, or of each arm whose geometry is known the fingertips' pose instead of its joints: position and rotation vector, or position
and the first two rows of the rotation matrix. Grippers, and arms without a known geometry, are as in `joint`.
"""
Gripper = Literal["open-1", "closed-1", "open-minus-1"]
"""0 closed to 1 open, as it is recorded · 0 open to 1 closed · −1 open to 1 closed."""


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of exported pictures; they are stretched to it."""

    width: Annotated[int, Meta(ge=2, le=4096)]
    height: Annotated[int, Meta(ge=2, le=4096)]


class Crop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a camera's pictures that is exported, pixels as they were shot. Without `left` and `top`: the middle."""

    width: Annotated[int, Meta(ge=2, le=8192)]
    height: Annotated[int, Meta(ge=2, le=8192)]
    left: Annotated[int, Meta(ge=0, le=8192)] | None = None
    top: Annotated[int, Meta(ge=0, le=8192)] | None = None

    def corner(self, width: int, height: int) -> tuple[int, int]:
        """(left, top) in pictures of that size. Raises UsageError where it does not lie in them."""
        left = (width - self.width) // 2 if self.left is None else self.left
        top = (height - self.height) // 2 if self.top is None else self.top
        if min(left, top) < 0 or left + self.width > width or top + self.height > height:
            raise UsageError(f"a crop of {self} does not lie in pictures of {width} × {height}. Next: correct --crop")
        return left, top

    def __str__(self) -> str:
        place = "" if self.left is None and self.top is None else f"+{self.left or 0}+{self.top or 0}"
        return f"{self.width}x{self.height}{place}"


class Conversion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked for."""

    rate_hz: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """Frames a second; none: the rows' own rate."""
    action: ActionOf = "asked"
    action_at: ActionAt = "last"
    representation: Representation = "absolute"
    space: Space = "joint"
    gripper: Gripper = "open-1"
    video: Video = "h264"
    size: Size | None = None
    """None: as shot, or cropped."""
    crop: dict[str, Crop] = {}
    """By camera; `""`: of all that are not named. Pictures are cropped before they are brought to a size."""
    cameras: tuple[str, ...] = ()
    """Without any: all that were recorded."""
    depth: bool = False
    """Export the cameras' depth too, as it was recorded."""
    operators: bool = False
    """Say the operators' names in the card; otherwise they are called `operator 1`, …"""

    def __post_init__(self) -> None:
        if self.video == "as-shot" and self.size is not None:
            raise UsageError("pictures as shot keep their size. Next: leave --size out, or take another --video")
        if self.video == "as-shot" and self.crop:
            raise UsageError("pictures as shot are whole. Next: leave --crop out, or take another --video")
        if self.representation == "relative" and self.space == "joint":
            raise UsageError("relative goals are those of fingertips, as they are from there. Next: --space ee")

    def crop_of(self, camera: str) -> Crop | None:
        """What of its pictures is exported; None: all."""
        return self.crop.get(camera) or self.crop.get("")


def units_of(units: tuple[str, ...], gripper: Gripper) -> tuple[str, ...]:
    """The exported vector's units: a gripper's says which end is which."""
    said = {
        "open-1": "1 (0 closed, 1 open)",
        "closed-1": "1 (0 open, 1 closed)",
        "open-minus-1": "1 (-1 open, 1 closed)",
    }
    return tuple(said[gripper] if unit == "1" else unit for unit in units)
