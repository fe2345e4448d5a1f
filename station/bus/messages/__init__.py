"""What crosses the bus: frozen typed structs, unknown fields refused, units in the names, every number finite
(`station.borders.bounds`).
"""

from station.bus.messages.arms import (
    Act,
    ArmMode,
    Chain,
    CheckItem,
    EffortUnit,
    GripperFacts,
    Hinge,
    Zeros,
)
from station.bus.messages.commanding import (
    SOURCES,
    Applied,
    ArmPilot,
    Command,
    Doer,
    HandTeleop,
    PilotState,
    Setpoint,
    SourceName,
    TeleopState,
)
from station.bus.messages.devices import (
    ArmState,
    Description,
    Dimension,
    Fault,
    Frame,
    Hand,
    HandPose,
    Limit,
    StreamDescription,
    Vector,
)
from station.bus.messages.endings import Ending, EndReason
from station.bus.messages.header import SCHEMA, Header, Message
from station.bus.messages.health import Health, ProcessState, StationState, StreamHealth
from station.bus.messages.policy import PolicyState
from station.bus.messages.recording import Chosen, Mark, RecorderState, Row, Tick
from station.bus.messages.session import Control, Motion, Phase, SessionState, Staging

__all__ = [
    "SCHEMA",
    "SOURCES",
    "Act",
    "Applied",
    "ArmMode",
    "ArmPilot",
    "ArmState",
    "Chain",
    "CheckItem",
    "Chosen",
    "Command",
    "Control",
    "Description",
    "Dimension",
    "Doer",
    "EffortUnit",
    "EndReason",
    "Ending",
    "Fault",
    "Frame",
    "GripperFacts",
    "Hand",
    "HandPose",
    "HandTeleop",
    "Header",
    "Health",
    "Hinge",
    "Limit",
    "Mark",
    "Message",
    "Motion",
    "Phase",
    "PilotState",
    "PolicyState",
    "ProcessState",
    "RecorderState",
    "Row",
    "SessionState",
    "Setpoint",
    "SourceName",
    "Staging",
    "StationState",
    "StreamDescription",
    "StreamHealth",
    "TeleopState",
    "Tick",
    "Vector",
    "Zeros",
]
