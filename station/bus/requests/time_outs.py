"""The TABLE of time-outs: how long whoever asks waits for an answer, and what the one who answers waits for meanwhile.

A test adds up each row: a time-out is longer than those of the requests it waits for, and than the work besides. Nothing is given up
by whoever asked while somebody behind it is still at it.
"""

from typing import NamedTuple

from station.bus.requests.arms import ActLeave, Perform, Resume, TorqueLeave, TorqueOff, TorqueOn
from station.bus.requests.control import AskLeave, TakeControl
from station.bus.requests.pilot import Disengage, DriveLeaders, Engage, Hold, Opening, OperatorAct, Park, Recover
from station.bus.requests.policy import LoadPolicy, StartPolicy, StopPolicy
from station.bus.requests.recording import BeginRecording, EndRecording, KeepHold, KeepMark
from station.bus.requests.request import Request
from station.bus.requests.scene import PrepareScene, SaveTruth
from station.bus.requests.session import (
    Align,
    Allow,
    CloseSession,
    Discard,
    HandOver,
    Label,
    LeadersAlong,
    Note,
    OpenSession,
    Pause,
    SetMark,
    Start,
    Stop,
    Undo,
)
from station.clock import NS_PER_MS, NS_PER_S

OTHERS_S = 2.0
"""What is in no row is answered at once."""
STREAMS_S = 3.0
"""How long the synchronizer gives a node that was just restarted to bring its first sample, before a recording is refused."""
HAND_OVER_S = 25.0
"""How long a whole hand-over of the arms may take: slow on purpose."""
HANDS_S = 540.0
"""How long a start sequence waits for an operator who closes both grippers."""
ACT_S = 60.0
"""How long an operator's act at an arm may take: motors on and brakes released, a gripper's whole way."""
FIRST_INFERENCE_S = 5.0
"""How long a policy may take for its first setpoint."""
LOADING_S = 180.0
"""How long a network may take to load, to be checked against the rig, to be warmed up."""
ALLOWED_S, COUNT_DOWN_S = 20.0, 3.0
"""How long what is asked from afar waits for somebody at the rig; how long the arms wait then, while it is said aloud."""
HANDED_S = 20.0
"""How long the holder of control has to say no to whoever asks for it."""
LABELS_S = 4.0
"""How long an episode's labels may be somebody else's."""
HDF5_S = 60.0
"""How long the last HDF5 of a sitting may take, built at low priority."""


class TimeOut(NamedTuple):
    """One row."""

    seconds: float
    waits_for: tuple[type[Request], ...] = ()
    """What whoever answers asks others for meanwhile, at the worst, one after the other."""
    work_s: float = 0.0
    """What it takes besides."""


_WITHOUT_HANDS = TimeOut(45, (Engage, KeepHold))
_END = TimeOut(25, (BeginRecording, EndRecording))
"""Also what is still being begun: it is ended then, and closed."""

TIME_OUTS: dict[type[Request], TimeOut] = {
    # an arm's driver: torque and EEPROM checks are slow
    **dict.fromkeys((TorqueOn, TorqueLeave, TorqueOff, ActLeave, Resume), TimeOut(5)),
    Perform: TimeOut(65, (), ACT_S),
    # the pilot
    Engage: TimeOut(35, (TorqueOn,), HAND_OVER_S),
    Opening: TimeOut(600, (TorqueOn,), 2 * HAND_OVER_S + HANDS_S),
    Park: TimeOut(45, (TorqueOn, TorqueLeave, TorqueOff), HAND_OVER_S),
    **dict.fromkeys((Recover, OperatorAct), TimeOut(75, (ActLeave, Perform))),
    Hold: TimeOut(5),
    Disengage: TimeOut(5),
    DriveLeaders: TimeOut(5),
    # the synchronizer: a journal is opened, or written and synced, on a disk that may be slow
    BeginRecording: TimeOut(10, (), STREAMS_S),
    EndRecording: TimeOut(10),
    KeepHold: TimeOut(3),
    KeepMark: TimeOut(10),
    # the session
    OpenSession: TimeOut(620, (Opening,)),
    Align: TimeOut(620, (Opening, KeepHold)),
    Start: TimeOut(80, (StopPolicy, StartPolicy, Engage, BeginRecording, EndRecording)),
    HandOver: TimeOut(45, (Engage, KeepHold)),
    LeadersAlong: TimeOut(10, (DriveLeaders,)),
    Stop: _END,
    Discard: _END,
    Pause: TimeOut(15, (KeepHold, Hold)),
    CloseSession: TimeOut(120, (BeginRecording, EndRecording, Disengage), HDF5_S),
    Allow: TimeOut(2),
    AskLeave: TimeOut(26, (), ALLOWED_S + COUNT_DOWN_S),
    TakeControl: TimeOut(23, (), HANDED_S),
    SetMark: TimeOut(12, (KeepMark,)),
    **dict.fromkeys((Label, Note, Undo), TimeOut(15, (), LABELS_S)),
    # the policy's runner
    LoadPolicy: TimeOut(200, (), LOADING_S),
    StartPolicy: TimeOut(10, (), FIRST_INFERENCE_S),
    StopPolicy: TimeOut(10),
    # a simulated rig's world: a scripted operator's arms go back to where they begin
    PrepareScene: TimeOut(40, (), 30),
    SaveTruth: TimeOut(15),
}
WITHOUT_HANDS: dict[type[Request], TimeOut] = {OpenSession: _WITHOUT_HANDS, Align: _WITHOUT_HANDS}
"""Where nobody waits for an operator's hands: no start sequence is wanted."""


def time_out_s(request: Request | type[Request], hands: bool = True) -> float:
    """How long to wait for its answer, s. Without `hands` no start sequence is waited for."""
    kind = request if isinstance(request, type) else type(request)
    if kind in WITHOUT_HANDS and (not hands or (isinstance(request, OpenSession) and request.opening is False)):
        return WITHOUT_HANDS[kind].seconds
    row = TIME_OUTS.get(kind)
    return row.seconds if row is not None else OTHERS_S


def time_out_ns(request: Request) -> int:
    """The same, ns."""
    return round(time_out_s(request) * NS_PER_S)


def time_out_ms(request: Request | type[Request], hands: bool = True) -> int:
    """The same, ms."""
    return round(time_out_s(request, hands) * NS_PER_S) // NS_PER_MS
