"""A rig of `stage` whose arms are engaged."""

from station.bus.messages import SourceName
from station.bus.requests import (
    Done,
    Engage,
    Park,
    Reply,
)
from tests.station.control.stage import Stage, done


def engaged(*sides: str, source: SourceName = "leader", torque: bool = True) -> Stage:
    stage = Stage(*sides, torque=torque)
    stage.run(0.1)
    stage.request(Engage(source))
    assert stage.run(10, stage.answered)
    assert stage.answers == [Done(f"{source} commands")]
    assert stage.state.state == "engaged"
    stage.answers.clear()
    return stage


def released(stage: Stage, *arms: str) -> Reply:
    """Ask for it twice, as the pilot wants; its last answer."""
    stage.answers.clear()
    stage.request(Park(release=True, arms=arms))
    assert stage.run(20, stage.answered)
    (first,) = stage.answers
    assert all(host.torque for host in stage.followers.values() if host.node in (arms or ()))
    stage.answers.clear()
    stage.request(Park(release=True, arms=arms, confirmation=done(first).token))
    assert stage.run(20, stage.answered)
    return stage.answers[0]
