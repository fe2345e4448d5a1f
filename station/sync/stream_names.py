"""Which streams the rig's devices have, and what they are called: by what each says of itself. Pure."""

from collections.abc import Sequence

from station.devices.contract import Description
from station.episodes import layout
from station.errors import EpisodeError
from station.rig.rig import Device, Rig

MAIN_KIND = {"leader": "arm_state", "follower": "arm_state", "camera": "frame", "vr": "hand_pose"}
"""What a device's node publishes under its own name, as long as it has not said what it is."""


class StreamNames:
    """The names that samples are aligned under. They stay as they are while a recording goes on."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.descriptions: dict[str, Description] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._named: dict[str, tuple[str, str]] = {}
        self._due = True
        self.clash = ""
        """Why the descriptions give no names: two streams would have one."""
        self.settle()

    def describe(self, node: str, description: Description) -> None:
        """A device said what it is."""
        if self.descriptions.get(node) != description:
            self.descriptions[node] = description
            self._due = True

    def settle(self) -> None:
        """Name the streams as the descriptions say."""
        if not self._due:
            return
        self._due = False
        try:
            self._named, self.clash = layout.streams(self.descriptions), ""
        except EpisodeError as error:
            self.clash = str(error)
            return
        self._names = {(MAIN_KIND[device.role], device.node): device.node for device in self._undescribed}
        self._names |= {source: name for name, source in self._named.items()}

    def name(self, kind: str, node: str) -> str | None:
        """Of a stream; None for one that its device did not describe."""
        return self._names.get((kind, node))

    @property
    def expected(self) -> tuple[str, ...]:
        """Described streams that recording waits for. Hands only once somebody wears the headset: leaders record without."""
        return tuple(name for name, (kind, _) in self._named.items() if kind != "hand_pose")

    @property
    def described(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._named)

    @property
    def silent(self) -> tuple[str, ...]:
        """Devices that have not said what they are."""
        return tuple(device.node for device in self._undescribed)

    @property
    def _undescribed(self) -> Sequence[Device]:
        return [device for device in self._rig.devices if device.node not in self.descriptions]
