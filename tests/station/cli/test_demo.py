"""What the demo says of the policy's rollouts: what was seen, and a failure never as a success."""

from station.cli.demo import _saw
from station.cli.rollout import Ran


def test_a_rollout_is_told_as_it_was_seen() -> None:
    assert "held the cube after 7.3 s" in _saw(True, Ran(7.3))
    assert _saw(False, Ran(15.0)).startswith("failed") and "within 15 s" in _saw(False, Ran(15.0))
    held = _saw(False, Ran(3.0, held="cam_high is 1.4 s old"))
    assert held.startswith("failed") and "cam_high is 1.4 s old" in held
