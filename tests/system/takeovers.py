"""Take-overs at random moments while a policy runs and is recorded: `python -m tests.system.takeovers --count 50`.

Afterwards the episode is looked at: no step of what was sent beyond the limits, and every row labelled right.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from station.bus.messages import SOURCES, PilotState, SessionState
from station.bus.requests import CloseSession, Engage, OpenSession, Start, Stop
from station.bus.sockets import Subscriber
from station.cli.physics import prepare_scene
from station.cli.rollout import Hands, Rollout
from station.client import Station, connect
from station.clock import NS_PER_S, monotonic_ns
from station.rig.choice import rig_of
from tests.system import tempers

SLACK = 1.02
"""Limits are kept in the units of the gate; a file's float32 rounds."""


class Labels(NamedTuple):
    """What is in an episode with take-overs."""

    rows: int
    take_overs: int
    by_source: dict[str, int]
    largest_step: float
    """The largest difference of neighbouring rows of /action_sent over the one that the limits allow."""
    late_setpoints: int
    """A policy's rows for which no setpoint had come when they closed: a loaded computer."""
    wrong: tuple[str, ...]


def take_overs(station: Station, folder: Path, data: Path, count: int, seed: int) -> Path:
    """Run and record the policy in `folder`, take over and hand back `count` times; the episode's path."""
    chance = random.Random(seed)
    pilot_heard = station.subscribe([("pilot", "pilot")])
    with Rollout(station, Hands(None, None)) as rollout, station.session() as session:
        identity = rollout.load(folder)
        prepare_scene(station, 0)
        session.ask(OpenSession("takeovers", str(data), source="policy", policy=identity))
        try:
            session.ask(Start())
            with station.request_client("pilot") as pilot:
                for _ in range(count):
                    _pause(pilot_heard, chance.uniform(0.1, 1.5))
                    pilot.ask(Engage("leader"))
                    _pause(pilot_heard, chance.uniform(0.1, 1.5))
                    pilot.ask(Engage("policy"))
            _pause(pilot_heard, 0.5)
            session.ask(Stop())
            state = session.until(_saved, 120)
        finally:
            session.ask(CloseSession())
            rollout.stop()
            pilot_heard.close()
    return Path(state.saved_path)


def _saved(state: SessionState) -> bool:
    return bool(state.saved_path) and state.finalising == 0


def _pause(pilot: Subscriber, seconds: float) -> None:
    """Let time go by; whatever holds meanwhile is an error."""
    until_ns = monotonic_ns() + round(seconds * NS_PER_S)
    while monotonic_ns() < until_ns:
        sample = pilot.receive(20)
        if sample is not None and isinstance(sample.body, PilotState):
            assert sample.body.state != "hold", f"in hold: {sample.body.why}"


def labels(path: Path, velocity_rad_s: float, tick_hz: float) -> Labels:
    """Look at an episode."""
    with h5py.File(path) as file:
        source = np.array(SOURCES)[file["/control/source"][()]]
        intervention = file["/control/intervention"][()]
        action, sent = file["/action"][()], file["/action_sent"][()]
        policy, human = file["/policy_action"][()], file["/human_action"][()]
        joints = np.array([unit == "rad" for unit in file.attrs["units"]])
        ended = str(file.attrs["ended"])
    steps = np.abs(np.diff(sent[:, joints], axis=0)).max(initial=0.0)
    wrong = []
    if ended:
        wrong.append(f"the episode ended: {ended}")
    by_policy, by_leader = source == "policy", source == "leader"
    unasked = np.isnan(policy).all(axis=1)
    for name, bad in (
        ("a row of nobody's", ~(by_policy | by_leader | (source == "hold"))),
        ("a policy's row that says intervention", by_policy & intervention),
        ("a leader's row that does not", by_leader & ~intervention),
        ("a leader's row whose action is not the human's", by_leader & ~(action == human).all(axis=1)),
        ("a policy's row whose action is not the policy's", by_policy & ~unasked & ~(action == policy).all(axis=1)),
        (
            "a row that nobody asked for whose action is not what was sent",
            by_policy & unasked & ~(action == sent).all(axis=1),
        ),
        ("a policy's row with a human's action", by_policy & ~np.isnan(human).all(axis=1)),
    ):
        if bad.any():
            wrong.append(f"{name}: {int(bad.sum())}, first {int(np.argmax(bad))}")
    begins = int((np.diff(by_leader.astype(int)) == 1).sum())
    counts = {name: int((source == name).sum()) for name in dict.fromkeys(source.tolist())}
    # a row takes the goal of its own setpoint: neighbours are a tick apart, give or take one setpoint of a 100 Hz leader
    allowed = velocity_rad_s * (1 / tick_hz + 0.01)
    return Labels(len(source), begins, counts, float(steps / allowed), int((by_policy & unasked).sum()), tuple(wrong))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="sim")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rig = rig_of(arguments.rig)
    os.environ.update(tempers.install())
    with tempfile.TemporaryDirectory() as scratch, connect(rig) as station:
        folder = tempers.write(Path(scratch) / "policy")
        episode = take_overs(station, folder, Path(scratch) / "data", arguments.count, arguments.seed)
        found = labels(episode, rig.safety.velocity_rad_s, rig.tick_hz)
    print(f"{found.take_overs} take-overs in {found.rows} rows {found.by_source}; "
          f"largest step {found.largest_step:.2f} of the limit; {found.late_setpoints} late asks")  # fmt: skip
    if found.wrong or found.largest_step > SLACK or found.take_overs < arguments.count:
        sys.exit("\n".join(found.wrong) or "steps beyond the limits, or take-overs that did not happen")


if __name__ == "__main__":
    main()
