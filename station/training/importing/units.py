"""A checkpoint's units as the station's: joints in radians, grippers 0 closed to 1 open.

The network sees normalised numbers only, so that its statistics are all that has a unit: converted, they make of the same
weights the same policy in radians, exactly.
"""

from math import pi
from pathlib import Path

import msgspec

from station.errors import PolicyError
from station.policy.claims import of_policy, refuse_anywhere
from station.policy.folder import PolicyFile
from station.policy.statistics import Statistics

_FACTORS = {"rad": 1.0, "deg": pi / 180, "mrad": 1e-3, "1": 1.0, "%": 0.01}
"""Unit → what makes the station's of it."""
_OURS = {"rad": "rad", "deg": "rad", "mrad": "rad", "1": "1", "%": "1"}


def in_our_units(settings: PolicyFile, units: tuple[str, ...], source: Path) -> tuple[PolicyFile, tuple[str, ...]]:
    """`settings` in the station's units, and what is to be said of it. `units`: one for all dimensions, or one each.

    Raises PolicyError: a unit that is none of these, or ranges that no arm has (and `units` does not explain).
    """
    dims = settings.action_dim
    units = units * dims if len(units) == 1 else units
    if units and (len(units) != dims or settings.state_dim != dims):
        raise PolicyError(source, "--units", f"{len(units)} for {dims} dimensions", "give one for all, or one for each")
    strange = [unit for unit in units if unit not in _FACTORS]
    if strange:
        raise PolicyError(source, "--units", f"{strange[0]!r}", f"use {', '.join(_FACTORS)}")
    if units:
        one = settings.normalization
        factors = tuple(_FACTORS[unit] for unit in units)
        both = msgspec.structs.replace(one, state=_scaled(one.state, factors), action=_scaled(one.action, factors))
        settings = msgspec.structs.replace(settings, normalization=both, units=tuple(_OURS[unit] for unit in units))
    fix = "if it was trained in another unit, say which: --units deg (or one for each dimension: deg,deg,…,%), which converts it"
    refuse_anywhere(of_policy(settings, source)._replace(fix=fix))
    if any(factor != 1 for factor in (_FACTORS[unit] for unit in units)):
        return settings, (f"statistics converted from {', '.join(dict.fromkeys(units))} to the station's units",)
    return settings, ()


def _scaled(statistics: Statistics | None, factors: tuple[float, ...]) -> Statistics | None:
    if statistics is None:
        return None
    fields = {name: getattr(statistics, name) for name in ("mean", "std", "min", "max")}
    scaled = {
        name: tuple(v * f for v, f in zip(values, factors, strict=True)) for name, values in fields.items() if values
    }
    return Statistics(**scaled)
