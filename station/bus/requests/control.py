"""What pages ask the session about themselves: who of them holds control, and leave for what moves arms from afar.

The terminal, the pedal and the headset are at the arms, and ask for none of this; `Allow` is their answer.
"""

from station.borders.bounds import Name
from station.bus.requests.request import Request


class TakeControl(Request, frozen=True):
    """The page that asks is to hold control. Done at once where nobody does, where the holder has been silent, and for a page at the rig;
    else the holder is asked, and has 20 s to say no.
    """


class LeaveControl(Request, frozen=True):
    """The holder gives control away: to the page that asked for it, else to nobody. Whoever is at the rig may take it from any page."""


class KeepControl(Request, frozen=True):
    """The holder says no to the page that asks."""


class StillThere(Request, frozen=True):
    """The page that asks is being looked at: a holder that says nothing for 10 s holds no longer."""


class AskLeave(Request, frozen=True):
    """May arms be moved so: park, replay, calibrate? Done once somebody at the rig has said yes and the count-down is over."""

    what: Name
    """For whoever is to allow it: `park the arms`."""


ControlRequest = TakeControl | LeaveControl | KeepControl | StillThere | AskLeave
