"""The attributes of an episode file: writing what `layout.ATTRIBUTES` lists."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np

from station.bus.messages import Description
from station.episodes import layout
from station.episodes.journal import JournalHeader
from station.episodes.marks import names_of
from station.episodes.reading import attribute, reading
from station.episodes.survey import Survey
from station.errors import EpisodeError
from station.files.calibration_files import Calibration
from station.rig.file import Base
from station.rig.geometry import ArmGeometry


def write_attributes(file: h5py.File, found: Survey) -> None:
    """Write all of them; the datasets are there."""
    for name, value in _of_file(found).items():
        file.attrs[name] = value
    for stream in found.plan.streams:
        on = file[f"/timestamps/{stream}"].attrs
        on["kind"] = found.kinds[stream]
        on["lost"] = np.int64(found.lost.get(stream, 0))
        on["stale"] = np.int64(found.stale[stream])
    if found.plan.jpeg:
        file["/compress_len"].attrs["camera_names"] = _strings(found.plan.cameras)
    for entry in layout.DATASETS:
        if entry.names:
            file[entry.path].attrs["names"] = _strings(entry.names)
    file["/marks/name"].attrs["names"] = _strings(names_of(found.marks))
    for stream, names in found.columns.items():
        file[f"/observations/extra/{stream}"].attrs["dim_names"] = _strings(names)


def same_recording(path: Path, header: JournalHeader) -> bool:
    """Is the episode at `path` of the recording whose journal begins with `header`?"""
    try:
        with reading(path) as file:
            mine = int(attribute(file, "start_ns")), int(attribute(file, "start_wall_ns"))
    except EpisodeError:
        return False
    return mine == (header.start_ns, header.start_wall_ns)


def _of_file(found: Survey) -> dict[str, Any]:
    header, info = found.header, found.header.info
    return {
        "sim": np.bool_(header.simulated),
        "compress": np.bool_(found.plan.jpeg),
        "layout": np.int64(layout.VERSION),
        "task": info.task,
        "episode": np.int64(info.episode),
        "instruction": info.instruction,
        "operator": info.operator,
        "scene": info.scene,
        "object": info.object,
        "policy": info.policy,
        "trial": np.int64(info.trial),
        "condition": info.condition,
        "policy_delay_p95_ms": np.float64(found.policy.delay_p95_ms),
        "policy_starved_ticks": np.int64(found.policy.starved_ticks),
        "policy_faults": np.int64(found.policy.faults),
        "success": np.int8(-1),
        "camera_names": _strings(found.plan.cameras),
        "dim_names": _strings(header.dim_names),
        "units": _strings(header.units),
        "effort_units": _strings(header.effort_units),
        "action_space": "joint_position",
        "rig": header.rig,
        "rig_sha256": header.rig_sha256,
        "rig_yaml": header.rig_yaml,
        "devices": msgspec.json.encode(_without_calibration(header.descriptions)).decode(),
        "kinematics": msgspec.json.encode(kinematics(header)).decode(),
        "calibration": msgspec.json.encode(_calibrations(header.descriptions)).decode(),
        "check_result": info.check_result,
        "imported": "",
        "station_version": header.station_version,
        "tick_hz": np.float64(header.tick_hz),
        "clock": "CLOCK_MONOTONIC, ns",
        "start_ns": np.int64(header.start_ns),
        "start_wall_ns": np.int64(header.start_wall_ns),
        "lost_samples": np.int64(sum(found.lost.values())),
        "stale_samples": np.int64(sum(found.stale.values())),
        "ended": found.ended,
        "recovered": np.bool_(found.recovered),
        "damage": found.damage,
        "unrecorded_streams": _strings(found.unrecorded),
        **{name: np.int64(count) for name, count in found.counts.items()},
    }


def kinematics(header: JournalHeader) -> dict[str, ArmGeometry]:
    """Of every follower whose driver said its chain, and which is in the vector."""
    found = {}
    for node, about in header.descriptions.items():
        side = node.removeprefix("follower_")
        if about.chain is None or side == node:
            continue
        joints = tuple(f"{side}_{hinge.name}" for hinge in about.chain.hinges)
        if set(joints) <= set(header.dim_names):
            found[node] = ArmGeometry(joints, about.chain, header.bases.get(node, Base()))
    return found


def _without_calibration(descriptions: Mapping[str, Description]) -> dict[str, Description]:
    return {node: msgspec.structs.replace(about, calibration=None) for node, about in descriptions.items()}


def _calibrations(descriptions: Mapping[str, Description]) -> dict[str, Calibration]:
    return {node: about.calibration for node, about in descriptions.items() if about.calibration is not None}


def _strings(names: tuple[str, ...]) -> Any:
    return np.array(names, dtype=h5py.string_dtype())
