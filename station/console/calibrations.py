"""What is known of the rig's devices by calibration, how old it is, and which wizards each is for. Blocking; for a thread."""

import datetime
from collections.abc import Mapping
from typing import Any

from station.bus.messages import Description
from station.errors import StationError
from station.files import calibration_files
from station.files.calibration_files import Calibration, Made
from station.rig.rig import Rig
from station.terminal.shown import shown


def told(rig: Rig, descriptions: Mapping[str, Description], today: datetime.date | None = None) -> dict[str, Any]:
    """Every device in the rig's order: the calibration that its driver works with; while it says nothing, the newest file of its name."""
    today = today or datetime.datetime.now(datetime.UTC).date()
    return {"devices": [_device(node.node, node.role, descriptions.get(node.node), today) for node in rig.devices]}


def wizards(about: Description, role: str) -> list[str]:
    """Those of `station calibrate` that measure something of this device."""
    if role == "camera":
        return ["cameras", "latency"]
    by = {"rest stops": ["arms"], "quarter turns": ["gello"]}.get(about.zeros.found_by, []) if about.zeros else []
    return by + (["grippers"] if about.gripper and about.gripper.travel else [])


def _device(node: str, role: str, about: Description | None, today: datetime.date) -> dict[str, Any]:
    trouble, stored = "", None
    try:
        stored = _stored(node, about)
    except (StationError, OSError) as error:
        trouble = str(error)
    in_force = about.calibration if about is not None else stored
    newer = about is not None and stored is not None and stored.revision > (in_force.revision if in_force else 0)
    return {
        "node": node, "role": role, "heard": about is not None, "model": shown(about.model) if about else "",
        "serial": shown(about.serial) if about else "", "wizards": wizards(about, role) if about else [],
        "parts": [_part(name, made, today) for name, made in _made(in_force)], "newer": newer, "trouble": shown(trouble),
    }  # fmt: skip


def _stored(node: str, about: Description | None) -> Calibration | None:
    if about is not None:
        return calibration_files.load(about.serial) if about.serial else None
    return max((c for c in calibration_files.load_all() if c.device == node), key=lambda c: c.revision, default=None)


def _made(known: Calibration | None) -> list[tuple[str, Made]]:
    if known is None:
        return []
    arm = known.arm
    whole = {
        "lens": known.intrinsics,
        "place": known.extrinsics,
        "latency": known.latency,
        "reference": known.reference,
    }
    parts = {"zeros": arm.made if arm else None, "gripper": arm.gripper_made if arm else None}
    parts |= {name: part.made if part is not None else None for name, part in whole.items()}
    return [(name, made) for name, made in parts.items() if made is not None]


def _part(name: str, made: Made, today: datetime.date) -> dict[str, Any]:
    left = ", ".join(f"{what.replace('_', ' ')} {value:.3g}" for what, value in made.residuals.items())
    return {"part": name, "age_days": made.age_days(today), "date": made.date, "by": shown(made.operator), "method": shown(made.method),
            "samples": made.samples, "left": left}  # fmt: skip
