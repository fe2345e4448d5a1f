"""Which policy this is, for people and for the episodes it makes: everything that decides how it behaves is in it."""

import hashlib

from station.policy.files import fingerprint, sha256
from station.policy.folder import Policy


def identity(policy: Policy, says: str = "") -> str:
    """Kind, folder, sha256 of policy.yaml and of every other file of the folder; of what lies elsewhere, its own: a replayed
    episode's sha256, and `says`, what a server says of itself. An instruction that took the place of the folder's too.

    Raises PolicyError where a file cannot be read.
    """
    parts = [f"{policy.kind} {policy.folder}", f"policy.yaml sha256:{policy.sha256}"]
    if policy.backend == "replay":
        parts.append(f"{policy.weights} sha256:{sha256(policy.folder / policy.weights)}")
    parts += [part for part in fingerprint(policy.folder, (policy.api_key_file,)) if part not in parts]
    if policy.told:
        parts.append(f"instruction sha256:{hashlib.sha256(policy.told.encode()).hexdigest()}")
    if says:
        parts.append(says)
    return ", ".join(parts)
