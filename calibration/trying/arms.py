"""`station rig try`: each arm is read, then each of its joints is moved by hand and named by what was read. Nothing here gives torque."""

from collections.abc import Sequence

import numpy as np

from calibration.checks import arms as checks
from calibration.checks.verdict import told, unchecked
from calibration.measuring import Measuring
from calibration.trying import directions
from calibration.trying.directions import Asked
from calibration.trying.moved import Array, Move, judge, moves
from station.bus.messages import Chain, Description, Dimension
from station.errors import MeasurementPoor
from station.files import calibration_files
from station.files.check_results import Finding
from station.steps.protocol import GO_ON

SKIP, AGAIN, AS_ASKED, OTHER_WAY = "skip", "again", "as asked", "other way"
_POSE_S = 0.4
_LEAST_READINGS = 3
_SKIPPED = "it was skipped"
_BEYOND = 0.25
"""A gripper that reads so far outside its travel does not say whether it is open."""


class Arms:
    """The arms of a rig, tried one after the other: what was found."""

    def __init__(self, measuring: Measuring) -> None:
        self._measuring = measuring
        self.findings: list[Finding] = []
        self._read_as: dict[str, str] = {}
        """An arm that was moved → the one that was read: their cables are swapped."""
        self._silent: set[str] = set()

    def arm(self, node: str) -> None:
        """Read it, then have each of its joints moved. Raises MeasurementPoor when somebody commands the arms, or gives it torque."""
        seen = self._measuring.seen.arms[node]
        self._measuring.listen(_POSE_S, fresh=True)
        if seen.description is not None:
            self._measuring.listen_until(lambda: checks.present(seen))
        self._refuse_moving()
        about = seen.description
        known = calibration_files.load(about.serial) if about is not None else None
        facts = list(checks.itself(node, seen, known, self._measuring.rig.check))
        self.findings += facts
        self._measuring.tell(f"{node}: {facts[0].value}")
        if about is None or not checks.present(seen):
            return
        for place in range(len(about.streams[0].dimensions)):
            while (finding := self._joint(node, about, place)) is None:
                pass
            self.findings.append(finding)

    def _joint(self, node: str, about: Description, place: int) -> Finding | None:
        """One joint, moved once. None: the operator will do it again."""
        dimension = about.streams[0].dimensions[place]
        before = self._poses()
        read = self._read_as.get(node, node)
        if read not in before:
            return told(
                node, dimension.name, "fail", f"{read} fell silent", "see its cable and power, then try it again"
            )
        asked = self._asked(node, dimension, place, before[read])
        if asked is None:
            self._measuring.ask(f"{node}: close its {dimension.name}, and hold it closed")
            before, asked = self._poses(), directions.gripper(0.0)
        hint = "; its brakes hold it: use its own free-drive button" if about.at_exit == "brakes" else ""
        how = "by 15° or more" if dimension.unit == "rad" else "by a third of its travel or more"
        prompt = f"{node}: move its {dimension.name} {asked.words}, {how}, and hold it there{hint}"
        if self._measuring.choose(prompt, (GO_ON, SKIP)) == SKIP:
            return unchecked(node, dimension.name, _SKIPPED, f"`station rig try --only {node}`")
        seen = moves(before, self._poses(), self._dimensions())
        return self._judged(node, dimension, asked, seen)

    def _judged(self, node: str, dimension: Dimension, asked: Asked, seen: Sequence[Move]) -> Finding | None:
        """What was read, held against what was asked; who moved it is asked where the two differ."""
        read = self._read_as.get(node, node)
        found, most = judge(read, dimension.name, asked.sign, seen)
        if most is None:
            return told(node, dimension.name, "fail", "no arm was read", "`station status` says which device is silent")
        saw = f"I see {most.node} {most.joint} {most.amount}"
        if found == "right":
            self._measuring.tell(f"{saw}: right" + ("" if read == node else f", but for the arm: it is {node}'s"))
            return _finding(node, dimension, "pass", most, "")
        if found == "nothing":
            saw = f"I see nothing move that far (most of all {most.node} {most.joint} {most.amount})"
        elif found != "sign":
            saw += f", not {'its' if found == 'joint' else read} {dimension.name}"
        answers = (AS_ASKED, *((OTHER_WAY,) if found == "sign" else ()), AGAIN, SKIP)
        given = self._measuring.choose(
            f"{saw}. You were asked for {dimension.name} {asked.words}. Which did you move", answers
        )
        if given == AGAIN:
            return None
        if given == SKIP:
            return unchecked(node, dimension.name, _SKIPPED, f"`station rig try --only {node}`")
        if given == OTHER_WAY:
            return _finding(node, dimension, "pass", most, "")
        if found == "arm":
            self._swapped(node, most.node)
            return self._judged(node, dimension, asked, seen)
        return _finding(node, dimension, "fail", most, self._advice(node, found, most))

    def _swapped(self, node: str, read: str) -> None:
        self._read_as[node] = read
        rig = self._measuring.rig
        mine, other = rig.device(node).port, rig.device(read).port
        do = f"exchange {mine} and {other} in {rig.file} (or their cables, or their names in the udev rules)"
        self.findings.append(
            told(node, "side", "fail", f"it was moved, {read} was read", f"{do}, then `station rig try`")
        )

    def _advice(self, node: str, found: str, most: Move) -> str:
        """What to do about a joint that is not read as it was moved."""
        again = f"then `station rig try --only {node}`"
        if found == "nothing":
            return (
                f"look whether its horn turns with the arm, and whether `station status` shows {node} as well; {again}"
            )
        if found == "joint":
            return f"{most.joint} was read: put the arm's joints in order in the rig file, or its cables; {again}"
        about = self._measuring.seen.arms[self._read_as.get(node, node)].description
        if about is not None and about.calibration is not None and about.calibration.arm is not None:
            file = calibration_files.path_of(about.serial)
            return (
                f"turn its sign round in {file}, which holds over the rig file's `signs` (or calibrate anew); {again}"
            )
        if about is not None and about.zeros is not None and about.zeros.found_by == "quarter turns":
            return (
                f"`station calibrate gello --only {node}` finds its signs, or turn its number in `signs` round; {again}"
            )
        return f"turn its sign round in the rig file; {again}"

    def _asked(self, node: str, dimension: Dimension, place: int, pose: Array) -> Asked | None:
        """What to do with a joint that stands at `pose`, as it reads; None for a gripper whose reading does not say how open it is."""
        if dimension.unit != "rad":
            return directions.gripper(float(pose[place])) if -_BEYOND <= pose[place] <= 1 + _BEYOND else None
        dimensions = self._dimensions()[self._read_as.get(node, node)]
        angles = [place for place, other in enumerate(dimensions) if other.unit == "rad"]
        starts = [dimensions[place].start for place in angles]
        # where it reads to be is what is in doubt: the words are those of the start pose, and hold near it and folded up
        stands = np.array([at if start is None else start for start, at in zip(starts, pose[angles], strict=True)])
        sign = directions.with_room(dimension, float(pose[place]))
        return directions.joint(angles.index(place), sign, stands, self._chain(node))

    def _chain(self, node: str) -> Chain | None:
        """Its own, or that of its side's other arm: a leader is built as its follower is, and turns the same way."""
        sides = [side for side in self._measuring.rig.sides if node in (side.leader, side.follower)]
        for other in (node, *(name for side in sides for name in (side.follower, side.leader) if name)):
            about = self._measuring.seen.arms[other].description
            if about is not None and about.chain is not None:
                return about.chain
        return None

    def _dimensions(self) -> dict[str, tuple[Dimension, ...]]:
        arms = self._measuring.seen.arms.items()
        return {node: arm.description.streams[0].dimensions for node, arm in arms if arm.description is not None}

    def _poses(self) -> dict[str, Array]:
        """Where every arm is that says it, from readings taken from now on."""
        arms, dimensions, found = self._measuring.seen.arms, self._dimensions(), {}
        self._measuring.listen(_POSE_S, fresh=True)
        speak = dimensions.keys() - self._silent
        self._measuring.listen_until(lambda: all(len(arms[node].positions) >= _LEAST_READINGS for node in speak))
        self._silent |= {node for node in speak if not arms[node].positions}  # waited for once
        self._refuse_moving()
        for node, arm in arms.items():
            if node in dimensions and len(arm.positions) >= _LEAST_READINGS:
                found[node] = np.median(np.array(arm.positions, np.float64), axis=0)
        return found

    def _refuse_moving(self) -> None:
        """An arm that has torque is in nobody's hand."""
        measuring = self._measuring
        pilot, name = measuring.seen.pilot, measuring.rig.name
        if pilot is not None and pilot.state in ("aligning", "waiting", "engaged"):
            raise MeasurementPoor(
                f"{pilot.source} commands the arms of {name}: nothing is moved by hand meanwhile. Next: end that sitting, then try again"
            )
        for node, arm in measuring.seen.arms.items():
            braked = arm.description is not None and arm.description.at_exit == "brakes"
            if arm.torque and not braked:
                raise MeasurementPoor(
                    f"{node} has torque on, and a joint that is held is not moved by hand. Next: `station park --release --rig {name}`, "
                    "or switch its power off and on; then try again"
                )


def _finding(node: str, dimension: Dimension, verdict: str, move: Move, do: str) -> Finding:
    value, unit = (float(np.degrees(move.by)), "°") if dimension.unit == "rad" else (100 * move.by, "%")
    assert verdict in ("pass", "fail")
    return Finding(node, dimension.name, "pass" if verdict == "pass" else "fail", round(value, 1), unit, None, do)
