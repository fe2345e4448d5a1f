"""What one node may ask of another. The answer is Done, or Refused with the reason and what to do.

A node serves one tagged union of these and nothing else; anything that does not decode is refused.
"""

from station.bus.requests.arms import ActLeave, ArmRequest, Perform, Resume, TorqueLeave, TorqueOff, TorqueOn, Why
from station.bus.requests.control import AskLeave, ControlRequest, KeepControl, LeaveControl, StillThere, TakeControl
from station.bus.requests.pilot import Disengage, Engage, Hold, Opening, OperatorAct, Park, PilotRequest, Recover
from station.bus.requests.policy import LoadPolicy, PolicyRequest, StartPolicy, StopPolicy
from station.bus.requests.recording import BeginRecording, EndRecording, KeepHold, RecordingInfo, SyncRequest
from station.bus.requests.request import Done, Refused, Reply, Request, Who
from station.bus.requests.scene import PrepareScene, SaveTruth, SceneRequest, ScoreScene
from station.bus.requests.session import (
    Align,
    Allow,
    CloseSession,
    Discard,
    HandOver,
    Label,
    Note,
    OpenSession,
    Pause,
    SessionRequest,
    Start,
    Stop,
    Undo,
)
from station.bus.requests.supervisor import LendKey, Restart, Shutdown, SupervisorRequest

__all__ = [
    "ActLeave",
    "Align",
    "Allow",
    "ArmRequest",
    "AskLeave",
    "BeginRecording",
    "CloseSession",
    "ControlRequest",
    "Discard",
    "Disengage",
    "Done",
    "EndRecording",
    "Engage",
    "HandOver",
    "Hold",
    "KeepControl",
    "KeepHold",
    "Label",
    "LeaveControl",
    "LendKey",
    "LoadPolicy",
    "Note",
    "OpenSession",
    "Opening",
    "OperatorAct",
    "Park",
    "Pause",
    "Perform",
    "PilotRequest",
    "PolicyRequest",
    "PrepareScene",
    "RecordingInfo",
    "Recover",
    "Refused",
    "Reply",
    "Request",
    "Restart",
    "Resume",
    "SaveTruth",
    "SceneRequest",
    "ScoreScene",
    "SessionRequest",
    "Shutdown",
    "Start",
    "StartPolicy",
    "StillThere",
    "Stop",
    "StopPolicy",
    "SupervisorRequest",
    "SyncRequest",
    "TakeControl",
    "TorqueLeave",
    "TorqueOff",
    "TorqueOn",
    "Undo",
    "Who",
    "Why",
]
