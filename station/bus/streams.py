"""The TABLE of what flows. What is not in it does not flow; endpoints, journals and health derive from it.

A *kind* says what one message of a stream is. A stream is a kind and the node that publishes it, and its topic is
`<kind>/<node>/`: `arm_state/leader_left/`, `frame/cam_high/`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from station.bus import messages as m
from station.clock import NS_PER_S

LONGEST_TOPIC = 100
"""Bytes: a kind, a node's name (24 of a–z, 0–9 and _, before it `follower_`) and two slashes."""


class Kind(NamedTuple):
    """One row of the table."""

    name: str
    body: type[m.Message]
    rate_hz: float | None
    """How often its node says it, changed or not: publishers take their pace from here. None: the device, the rig file or an
    event decides."""
    journal: bool
    """May an episode's journal keep it, every message? One that may not is refused there."""
    what: str


STREAMS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("arm_state", m.ArmState, None, True, "one complete reading of one arm"),
        Kind("frame", m.Frame, None, True, "one colour picture; payload: its bytes"),
        Kind("depth", m.Frame, None, True, "one depth picture, uint16 mm; payload: its bytes"),
        Kind("hand_pose", m.HandPose, None, True, "both hands of a VR operator"),
        Kind("vector", m.Vector, None, True, "any other named numbers a device publishes"),
        Kind("description", m.Description, 1.0, False, "what a device is: its streams and dimensions"),
        Kind("setpoint", m.Setpoint, None, True, "what a policy, a replay or a headset's hands want of all arms"),
        Kind("command", m.Command, None, True, "what the pilot tells one arm"),
        Kind("applied", m.Applied, None, True, "the goal an arm's driver really wrote, after its gate"),
        Kind("tick", m.Tick, None, True, "one instant of the rig's grid: which sample of each stream, how old"),
        Kind("row", m.Row, None, True, "the closed row of a tick while recording: action, what was sent, by whom"),
        Kind("mark", m.Mark, None, True, "a named instant of the episode, set while it is recorded"),
        Kind("pilot", m.PilotState, 10.0, False, "who commands, and the state of engagement"),
        Kind("teleop", m.TeleopState, 10.0, False, "how a VR operator's hands stand to the arms"),
        Kind("session", m.SessionState, 5.0, False, "the phase of the sitting, counts, buttons"),
        Kind("policy", m.PolicyState, 2.0, False, "which policy the runner has loaded, and how it does"),
        Kind("recorder", m.RecorderState, 10.0, False, "what the synchronizer has safely written"),
        Kind("health", m.Health, 2.0, True, "how a node is (journals keep the policy runner's)"),
        Kind("station", m.StationState, 1.0, False, "the supervisor's view of every process"),
    )
}


def period_ns(kind: str) -> int:
    """How long a node waits between two messages of a kind that it says by itself. ValueError for one whose pace others set."""
    rate_hz = STREAMS[kind].rate_hz
    if rate_hz is None:
        raise ValueError(f"the table gives {kind} no rate")
    return round(NS_PER_S / rate_hz)


DEVICE_KINDS = ("arm_state", "frame", "hand_pose", "vector", "depth")
"""What devices publish and journals keep. Of several from one device the first in this order is its main stream."""


def stream_names(node: str, kinds: Iterable[str]) -> dict[str, str]:
    """Kind → name, in ticks and files alike, of the recorded streams that one device publishes, whatever their order.

    The main one has the node's name, further ones are `<node>_<kind>`: `cam_high` and `cam_high_depth`.
    """
    recorded = [kind for kind in dict.fromkeys(kinds) if kind in DEVICE_KINDS]
    main = next((kind for kind in DEVICE_KINDS if kind in recorded), "")
    return {kind: node if kind == main else f"{node}_{kind}" for kind in recorded}


SPOKEN_FOR: dict[tuple[str, str], tuple[str, ...] | None] = {
    ("pilot", "command"): None,
    ("policy", "setpoint"): ("policy_shadow",),
}
"""Who publishes streams under other names than its own, and which (None: any arm's). Everybody else speaks for itself alone."""


def may_publish(node: str, kind: str, name: str) -> bool:
    """Is `kind/name/` a stream of that node's?"""
    names = SPOKEN_FOR.get((node, kind), ())
    return node == name or names is None or name in names


def topic(kind: str, node: str) -> bytes:
    """The topic of a stream; the closing slash keeps `cam_1` from matching `cam_12`. Raises KeyError for a kind that is not in the
    table.
    """
    if kind not in STREAMS:
        raise KeyError(f"no kind {kind!r} in the table; there are {', '.join(STREAMS)}")
    return f"{kind}/{node}/".encode()


def split_topic(raw: bytes) -> tuple[str, str]:
    """(kind, node) of a topic. Raises ValueError if it is none of ours."""
    kind, _, rest = raw[:LONGEST_TOPIC].decode("ascii", "replace").partition("/")
    node, slash, more = rest.partition("/")
    if more or not (slash and node) or len(raw) > LONGEST_TOPIC or kind not in STREAMS:
        raise ValueError(f"not a topic: {raw[:LONGEST_TOPIC]!r}")
    return kind, node
