"""What is asked while a rig is set up."""

from station.borders.bounds import Count, Name
from station.console.wire.message import Message, Ports


class Find(Message, frozen=True):
    """Look what is plugged in, while the rig is not up. Nothing is written to any device."""

    id: Count
    ports: Ports = ()


class NewRig(Message, frozen=True):
    """Begin `station rig new`: the file of a rig, from what is plugged in."""

    id: Count
    name: Name
    ports: Ports = ()


class TryRig(Message, frozen=True):
    """Begin `station rig try`: each joint moved by hand, nothing has torque."""

    id: Count
    rig: Name
