"""A recorded episode as something to be played again: its actions, and what the file says of them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.episodes.reading import reading
from station.errors import EpisodeError
from station.policy.claims import Claim, Span, checked_rate


class Recorded(NamedTuple):
    """An episode's `/action`."""

    actions: NDArray[np.floating]
    """(T, D), finite, at least one row."""
    claim: Claim
    tick_hz: float | None
    """None where the file does not say (ALOHA's own recorder does not)."""


def read_recorded(path: Path) -> Recorded:
    """Read an episode's actions. Raises EpisodeError: no episode, no rows, no numbers, or other things than joint positions."""
    verify = f"Next: `station episodes verify {path}`"
    try:
        with reading(path) as file:
            actions = np.asarray(file["action"][()])
            about = {
                name: file.attrs[name]
                for name in ("dim_names", "units", "tick_hz", "action_space")
                if name in file.attrs
            }
    except EpisodeError as error:
        why = str(error).removeprefix(f"{path}: ").partition(" Next: ")[0]
        raise EpisodeError(f"{path} is not an episode: {' '.join(why.split())[:200]} {verify}") from error
    if actions.ndim != 2 or not actions.size or actions.dtype.kind != "f" or not np.isfinite(actions).all():
        raise EpisodeError(f"{path} has no rows, or numbers that are none: /action has shape {actions.shape}. {verify}")
    space = str(about.get("action_space", "joint_position"))
    if space != "joint_position":
        raise EpisodeError(
            f"{path}: its actions are {space[:60]!r}, not joint_position. Next: record it with the station"
        )
    span = Span(actions.min(axis=0).astype(float), actions.max(axis=0).astype(float))
    names, units = _texts(about.get("dim_names")), _texts(about.get("units"))
    claim = Claim(path, {"/action": actions.shape[1]}, names, units, {"/action": span}, when="when it was recorded")
    if any(texts and len(texts) != actions.shape[1] for texts in (names, units)):
        raise EpisodeError(
            f"{path}: {len(names)} dim_names, {len(units)} units for {actions.shape[1]} numbers a row. {verify}"
        )
    return Recorded(actions, claim, _rate(path, about))


def _texts(value: Any) -> tuple[str, ...]:
    return (
        () if value is None else tuple(one.decode() if isinstance(one, bytes) else str(one) for one in np.ravel(value))
    )


def _rate(path: Path, about: dict[str, Any]) -> float | None:
    if "tick_hz" not in about:
        return None
    try:
        rate_hz = checked_rate(float(np.ravel(about["tick_hz"])[0]))
    except (TypeError, ValueError, IndexError):
        rate_hz = None
    if rate_hz is None:
        raise EpisodeError(f"{path}: tick_hz {about['tick_hz']!r} is no rate. Next: `station episodes verify {path}`")
    return rate_hz
