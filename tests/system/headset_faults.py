"""`python -m tests.system.headset_faults --moments 200`: what headsets do in a lab, at random moments while following.

Both hands move in circles with their grips held, in a real browser with an emulated headset, on the simulated rig. At a
random moment controllers fall asleep, are swapped or hidden by the system's menu, or the room is re-centred, with and
without the browser's event. Then, grips still held, both hands move on, and after that the grips are opened and squeezed.
For every moment it is counted:

- samples of a hand that were anything but that hand where it was put (its trigger is its name);
- arms whose goal moved before their grip was seen open;
- whether the operator was told, and whether the arms followed again, in the direction the operator faces.

Each moment is a line of `--out` (JSON); what is there already is not done again. About ten seconds a moment.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from station.bus.messages import HandPose
from station.bus.sockets import Subscriber
from tests.drivers.vr.browser import browser
from tests.drivers.vr.conftest import free_port
from tests.system.vr_latency import circles
from tests.system.vr_operator import Operator, sitting
from tests.system.vr_rig import SIDES, VrRig, short_folders, vr_rig

NAMES = {"left": 0.25, "right": 0.75}
"""Each hand's trigger: whose sample it is."""
SAME_M = 1e-3
STILL_RAD = 2e-3
"""Less than a servo's tick of 0.09°, and no motion."""
SETTLED_S = 0.6
GLIDE_M, ALONG_M = 0.04, 0.015
COMES_ALONG_S = 3.0
ONE_SIDED = {"one controller asleep": ("right",)}


class Moment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one fault at one moment did."""

    number: int
    fault: str
    after_s: float
    """How long the hands had been followed."""
    lasted_ms: int
    samples: int
    foreign: int
    """Samples with anything but that hand."""
    moved: int
    """Arms whose goal moved without a grip seen open."""
    told: str
    """What the operator was told."""
    followed: bool
    """Did the arms follow again after the grips were opened and squeezed, in the right direction?"""


class Samples:
    """Everything the headset's driver publishes, held against where the hands were put."""

    def __init__(self, rig: VrRig) -> None:
        self._bus = Subscriber(rig.rig.name, [("hand_pose", "vr")])
        self.heard: list[HandPose] = []

    def close(self) -> None:
        self._bus.close()

    def drain(self) -> None:
        """Take in what has come."""
        while (sample := self._bus.receive()) is not None:
            if isinstance(sample.body, HandPose):
                self.heard.append(sample.body)

    def judge(self, places: dict[str, list[list[float]]]) -> tuple[int, int]:
        """(samples, of which foreign) since the last time. `places`: every position each hand was put at, WebXR's axes."""
        self.drain()
        heard, self.heard = self.heard, []
        foreign = 0
        for side in SIDES:
            known = np.array([(-z, -x, y) for x, y, z in places[side]])
            for pose in heard:
                hand = getattr(pose, side)
                if hand is None:
                    continue
                foreign += abs(hand.trigger - NAMES[side]) > 1e-6
                if hand.position_m is not None:
                    foreign += np.abs(known - hand.position_m).max(axis=1).min() > SAME_M
        return len(heard), int(foreign)


def moment(operator: Operator, rig: VrRig, samples: Samples, number: int, fault: str, chance: random.Random) -> Moment:
    """One fault while both arms follow."""
    after_s, lasts_ms = chance.uniform(0.3, 1.5), chance.randrange(80, 900)
    follow(operator, rig)
    samples.judge(operator.page.js("return operator.places()"))
    operator.page.js("operator.play(arguments[0])", circles(rig, 6.0, NAMES))
    time.sleep(after_s)
    operator.do("fault(arguments[0], arguments[1])", fault, lasts_ms)
    sides = ONE_SIDED.get(fault, SIDES)
    told = rig.until(f"a word about: {fault}", lambda: rig.teleop().state == "hold" and rig.teleop().why, 10)
    samples.drain()
    time.sleep(SETTLED_S)
    rig.truth()
    before = {side: rig.goal(side) for side in sides}
    for side in sides:
        operator.glide(side, 0, GLIDE_M, 0)
    time.sleep(SETTLED_S)
    rig.truth()
    moved = sum(bool(np.abs(rig.goal(side)[:6] - before[side][:6]).max() > STILL_RAD) for side in sides)
    followed = follows_again(operator, rig)
    count, foreign = samples.judge(operator.page.js("return operator.places()"))
    return Moment(number, fault, round(after_s, 2), lasts_ms, count, foreign, moved, str(told), followed)


def follow(operator: Operator, rig: VrRig) -> None:
    """Both arms follow, from where they are, facing the rig's forward."""
    operator.let_go()
    operator.page.js("operator.look(0)")
    operator.hands_to_grippers()
    operator.go_on()
    operator.hands_to_grippers()
    name(operator)
    operator.page.press("right", "thumbstick")
    operator.squeeze(*SIDES)
    operator.page.until("engagement on the board", "return document.documentElement.dataset.state === 'engaged'")


def name(operator: Operator) -> None:
    for side, trigger in NAMES.items():
        operator.put(side, trigger=trigger)


def follows_again(operator: Operator, rig: VrRig) -> bool:
    """Open, squeeze, and go where the operator faces: that is the rig's forward, whatever the room's axes are now. And back again, or
    two hundred moments on the arms would be at the end of their reach.
    """
    operator.let_go()
    operator.go_on()
    operator.squeeze(*SIDES)
    begin = {side: rig.goal(side) for side in SIDES}
    return _comes_along(operator, rig, begin, GLIDE_M) and _comes_along(operator, rig, begin, -GLIDE_M)


def _comes_along(operator: Operator, rig: VrRig, begin: dict[str, np.ndarray], by_m: float) -> bool:
    """Both hands glide so far along the operator's look: do the goals, to `GLIDE_M` before `begin` or back there?"""
    yaw = float(operator.page.js("return operator.yaw"))
    for side in SIDES:
        operator.glide(side, -by_m * np.sin(yaw), 0, -by_m * np.cos(yaw))
    due = (max(by_m, 0.0), 0, 0)
    until_s = time.monotonic() + COMES_ALONG_S
    while (ways := {side: _way_m(rig, side, begin[side]) for side in SIDES}) and time.monotonic() < until_s:
        if all(np.abs(way - due).max() < ALONG_M for way in ways.values()):
            return True
        rig.truth()
        time.sleep(0.02)
    print(f"went {ways} m, not to {due} m, facing {np.degrees(yaw):.0f}°: {rig.teleop()}", file=sys.stderr)
    return False


def _way_m(rig: VrRig, side: str, begin: np.ndarray) -> np.ndarray:
    """How far the goal's fingertips have come, in the rig frame."""
    return np.asarray(rig.place_of(side, rig.goal(side)) - rig.place_of(side, begin))


@contextmanager
def worn() -> Iterator[tuple[Operator, VrRig, Samples]]:
    """A rig, an operator who wears the headset, and a sitting."""
    with tempfile.TemporaryDirectory(prefix="faults-") as named:
        folder = Path(named)
        with short_folders(folder), vr_rig(free_port(), folder) as rig, browser() as page:
            operator = Operator(rig, page)
            operator.put_on()
            name(operator)
            samples = Samples(rig)
            try:
                with sitting(rig, folder / "data"):
                    yield operator, rig, samples
            finally:
                samples.close()


def table(done: list[Moment]) -> str:
    """Markdown, a row per fault."""
    lines = [
        "| what the headset did | moments | samples | with anything but that hand | arms that moved unasked "
        "| told | followed again |",
        "|---|---|---|---|---|---|---|",
    ]
    for fault in sorted({found.fault for found in done}):
        of = [found for found in done if found.fault == fault]
        told = sum(bool(found.told) for found in of)
        again = sum(found.followed for found in of)
        lines.append(
            f"| {fault} | {len(of)} | {sum(m.samples for m in of)} | {sum(m.foreign for m in of)} "
            f"| {sum(m.moved for m in of)} | {told} | {again} |"
        )
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("headset-faults.jsonl"))
    arguments = parser.parse_args()
    lines = arguments.out.read_text().splitlines() if arguments.out.exists() else []
    done = [msgspec.json.decode(line, type=Moment) for line in lines]
    if len(done) < arguments.moments:
        with worn() as (operator, rig, samples), arguments.out.open("a") as out:
            faults = operator.page.js("return operator.faults")
            for number in range(len(done), arguments.moments):
                chance = random.Random(f"{arguments.seed} {number}")
                found = moment(operator, rig, samples, number, chance.choice(faults), chance)
                done.append(found)
                print(json.dumps(msgspec.to_builtins(found)), file=out, flush=True)
    print(table(done))
    if any(found.foreign or found.moved or not found.followed for found in done):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
