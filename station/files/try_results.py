"""What the last `station rig try` of a rig found: written by it, read by `station check` and `station rig show`.

`$XDG_STATE_HOME/station/tries/<rig>.json`, beside the folder of the checks. Of another rig file it says nothing any more.
"""

from pathlib import Path

import msgspec

from station.borders.bounds import absurd
from station.borders.decoding import Decoder, Undecodable
from station.files import check_results, durable
from station.files.check_results import CheckResult


class StoredTry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A first power-up: of which rig file, when (wall time, s), by whom, and what was found."""

    rig_sha256: str
    at_s: float
    operator: str
    result: CheckResult
    station_version: str = ""


_stored: Decoder[StoredTry] = Decoder("json", StoredTry)


def path_of(rig: str) -> Path:
    """Where a rig's last result is."""
    checks = check_results.path_of(rig)
    return checks.parent.with_name("tries") / checks.name


def store(rig: str, tried: StoredTry) -> Path:
    """Replace the rig's last result."""
    path = path_of(rig)
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, msgspec.json.encode(tried))
    return path


def last(rig: str, rig_sha256: str) -> StoredTry | None:
    """The last result for this rig file; None if there is none, or none that can be read."""
    try:
        stored = _stored.decode(path_of(rig).read_bytes())
    except (OSError, Undecodable):
        return None
    return None if absurd(stored) or stored.rig_sha256 != rig_sha256 else stored
