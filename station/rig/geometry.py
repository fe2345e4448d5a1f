"""Where an arm's joints are among a vector's numbers, how they are strung, and where its base stands: all that forward kinematics
needs beside the angles. Episodes keep it (attribute `kinematics`).
"""

import msgspec

from station.bus.messages import Chain
from station.rig.file import Base


class ArmGeometry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One arm's."""

    joints: tuple[str, ...]
    """Names of its joints in the vector, in the chain's order."""
    chain: Chain
    base: Base
    """Where it stands in the rig frame."""
