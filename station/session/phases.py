"""The TABLE of phases of a sitting: what leads from one to the other. Pure. The picture in docs/reference/session.md is drawn from it."""

from typing import Literal

from station.bus.messages import Phase

PhaseEvent = Literal[
    "open", "aligned", "not opened", "align", "not aligned", "start", "began", "runs", "stop", "ready again", "reset wanted", "reset over",
    "hold", "close", "closed", "taken up",
]  # fmt: skip

TRANSITIONS: dict[tuple[Phase, PhaseEvent], Phase] = {
    ("ended", "open"): "opening",
    ("opening", "aligned"): "ready",
    ("opening", "not opened"): "ended",
    ("opening", "not aligned"): "hold",
    ("opening", "close"): "saving",
    # a policy's sitting: nothing is aligned until an episode is started, and then it is recorded at once
    ("opening", "reset wanted"): "reset",
    ("reset", "align"): "opening",
    ("opening", "start"): "starting",
    ("ready", "start"): "starting",
    ("ready", "hold"): "hold",
    ("ready", "close"): "saving",
    ("starting", "began"): "recording",
    ("starting", "runs"): "running",  # a rollout that nobody records
    ("starting", "stop"): "saving",
    ("starting", "ready again"): "ready",  # nothing was recorded, or it has ended already
    ("starting", "reset wanted"): "reset",
    ("starting", "close"): "saving",
    ("recording", "stop"): "saving",
    ("recording", "ready again"): "ready",
    ("recording", "reset wanted"): "reset",
    ("recording", "close"): "saving",
    ("running", "reset wanted"): "reset",
    ("running", "close"): "saving",
    ("saving", "ready again"): "ready",
    ("saving", "reset wanted"): "reset",
    ("saving", "close"): "saving",
    ("saving", "closed"): "ended",
    ("reset", "reset over"): "ready",
    ("reset", "start"): "starting",
    ("reset", "hold"): "hold",
    ("reset", "close"): "saving",
    ("hold", "align"): "opening",
    ("hold", "close"): "saving",
    # the sitting of a life of this node that was killed is taken up
    ("ended", "taken up"): "ready",
    ("ended", "reset wanted"): "reset",
    ("ended", "began"): "recording",
    ("ended", "hold"): "hold",
}
"""Every transition there is; an event without an entry does not happen in that phase."""

GOES_ON: tuple[Phase, ...] = ("recording", "running")
"""Something commands the arms for an episode, or for a rollout that nobody records."""
