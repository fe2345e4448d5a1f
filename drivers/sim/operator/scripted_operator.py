"""The scripted operator: a client of the session who moves the leaders' shafts and puts the cube back. Pure.

    meeting ──engaged──► homing ──hands at start──► waiting ──recording──► playing ──► done ──next episode──► homing …

While the leaders command nothing (`meeting`), the hands bring them to where the followers are, so that an alignment
finds them close; they keep still while the pilot aligns. In a start sequence the leaders go to the start by themselves,
with the hands on them and their grippers open; when the arms stand there, the hands close them. A hold ends the hand-
over. Everything else goes the way of a human's hands: real drivers, pilot, followers.
"""

from typing import Literal, NamedTuple

import numpy as np

from drivers.sim.operator.script import (
    HAND_OVER,
    CubeStart,
    Path,
    Plan,
    Script,
    Setpoint,
    Vector,
    straight,
    swing,
)
from station.bus.messages import PilotState, SessionState
from station.clock import NS_PER_S

_HOME_UNITS_S = 0.8
_HOME_LEAST_S = 1.0
_SEEN_NS = NS_PER_S // 2
"""By then every camera has a picture of the cube in its new place."""
_MET_UNITS = 0.1
"""Hands this close to the followers' pose need no correction."""
_GRIP_OPEN = 0.8
"""How open the hands keep the grippers until they may start."""
_SWING_S = (1.5, 1.1)
"""How long the slowest swing takes, left and right: never both alike."""
_BETWEEN_EPISODES = ("opening", "ready", "reset")

State = Literal["meeting", "homing", "waiting", "playing", "done", "swinging"]


class _Motion(NamedTuple):
    """Replaced whole, so that the bus threads never see half of one."""

    begin_ns: int
    plan: Plan


class Operator:
    """One operator at all leaders. `update` belongs to one thread; `at` may be called from any."""

    def __init__(self, seed: int, now_ns: int, script: Script = HAND_OVER) -> None:
        self._seed, self._script = seed, script
        self.state: State = "meeting"
        self.episode = 0
        """Whose scene it is."""
        self._session_episode = 0
        """For which of the session's episodes it was put there."""
        self._asked_for = False
        """Was this scene asked for, and has nothing been recorded in it yet?"""
        self.placed = False
        self._placed_ns = now_ns
        self._aligning = self._seen = False
        self._plan: Plan | None = None
        self._heedless = False
        self._motion = _Motion(now_ns, Plan({side: _still(script.rest[side]) for side in script.sides}))

    def at(self, side: str, now_ns: int) -> Vector:
        """What this hand asks for: six joint angles (rad), the gripper 0 closed to 1 open. (7,)"""
        motion = self._motion
        return motion.plan.paths[side].at((now_ns - motion.begin_ns) / NS_PER_S)

    @property
    def ready(self) -> bool:
        """Is the cube in its place, and do hands that are followed wait at the start?"""
        return self._seen and (self.state == "waiting" or (self.state == "meeting" and not self._aligning))

    def prepare(self, episode: int, now_ns: int) -> None:
        """Go back to the start and put the cube where it is for this episode. There it stays for whatever is recorded next, of whatever
        number: an evaluation's trials are in scenes of their own.
        """
        self._asked_for = True
        self._prepare(episode, now_ns)

    def _prepare(self, episode: int, now_ns: int) -> None:
        self.episode, self.placed, self._seen = episode, False, False
        if self.state in ("playing", "done"):
            self._home(now_ns)

    def swing(self, now_ns: int, seconds: float, heedless: bool = False) -> bool:
        """Swing both arms for so long, if the hands wait at the start and are followed. Did they begin?

        `heedless`: whatever they were doing, and on through a hold, until the pilot aligns.
        """
        if self.state != "waiting" and not heedless:
            return False
        self._heedless = heedless
        paces = zip(self._script.sides, _SWING_S, strict=False)
        paths = {side: swing(self.at(side, now_ns), seconds, slowest_s) for side, slowest_s in paces}
        self.state, self._motion = "swinging", _Motion(now_ns, Plan(paths))
        return True

    def update(
        self, now_ns: int, session: SessionState | None, pilot: PilotState | None, followers: Setpoint, clear: bool
    ) -> CubeStart | None:
        """See what the pilot and the session do; returns where the cube is to be put now, if it is.

        `followers`: where they are, gripper 0…1. `clear`: no gripper is near the cube's place.
        """
        self._heed_pilot(now_ns, pilot, followers)
        self._seen = self.placed and now_ns - self._placed_ns >= _SEEN_NS
        phase = "ended" if session is None else session.phase
        if phase == "recording":
            self._asked_for = False
        if session is not None and phase in _BETWEEN_EPISODES:
            self._go_on_to(session.episode, now_ns)
        if self.state in ("homing", "swinging") and self._finished(now_ns):
            self.state = "waiting"
        if self.state in ("waiting", "meeting") and not self.placed and clear:
            self.placed, self._placed_ns = True, now_ns
            cube = self._script.cube_start(self._seed, self.episode)
            self._plan = self._script.plan(cube)
            return cube
        self._play(now_ns, phase)
        return None

    def _go_on_to(self, episode: int, now_ns: int) -> None:
        """Between the session's episodes: one that comes next has the scene of its number, one that is made again has its scene again."""
        if self._session_episode != episode:
            self._session_episode = episode
            if not self._asked_for:
                self._prepare(episode, now_ns)
        elif self.state in ("playing", "done"):
            self._prepare(self.episode, now_ns)

    def _heed_pilot(self, now_ns: int, pilot: PilotState | None, followers: Setpoint) -> None:
        """Still while the pilot aligns; with the followers while somebody else commands or nobody does.

        Leaders that a policy drives along have torque and heed no hand: it only stays where it can take over.
        """
        engaged = pilot is not None and pilot.state == "engaged"
        self._aligning = pilot is not None and pilot.state == "aligning"
        if self.state == "swinging" and self._heedless and not self._aligning and not self._finished(now_ns):
            return
        if pilot is not None and engaged and pilot.source == "leader":
            if self.state == "meeting":
                self._home(now_ns)
            return
        here = {side: self.at(side, now_ns) for side in self._script.sides}
        if pilot is not None and pilot.source == "opening" and (self._aligning or pilot.state == "waiting"):
            self._open(now_ns, 0.0 if pilot.state == "waiting" else _GRIP_OPEN)
            return
        if engaged:
            self._motion = _Motion(now_ns, Plan({side: _still(followers[side]) for side in self._script.sides}))
            self.state = "meeting"
        elif self.state != "meeting" or self._aligning:
            self._motion = _Motion(now_ns, Plan({side: _still(here[side]) for side in self._script.sides}))
            self.state = "meeting"
        elif self._finished(now_ns) and _apart(here, followers) > _MET_UNITS:
            self._go(now_ns, followers)

    def _open(self, now_ns: int, gripper: float) -> None:
        """Hands on leaders that go to the start by themselves: only the grippers are theirs."""
        self.state = "meeting"
        there = {side: np.array([*self._script.start[side][:-1], gripper]) for side in self._script.sides}
        if self._finished(now_ns) and _apart(self._motion.plan.at(1e9), there) > 0:
            self._go(now_ns, there)

    def _play(self, now_ns: int, phase: str) -> None:
        if self.state == "waiting" and self.placed and phase == "recording" and self._plan is not None:
            self.state, self._motion = "playing", _Motion(now_ns, self._plan)
        if self.state == "playing" and self._finished(now_ns):
            self.state = "done"

    def _home(self, now_ns: int) -> None:
        self.state = "homing"
        self._go(now_ns, self._script.start)

    def _go(self, now_ns: int, there: Setpoint) -> None:
        here = {side: self.at(side, now_ns) for side in self._script.sides}
        # a minimum-jerk move peaks at 1.875 times its mean speed
        seconds = max(_HOME_LEAST_S, 1.875 * _apart(here, there) / _HOME_UNITS_S)
        self._motion = _Motion(
            now_ns, Plan({side: straight(here[side], there[side], seconds) for side in self._script.sides})
        )

    def _finished(self, now_ns: int) -> bool:
        return now_ns - self._motion.begin_ns >= self._motion.plan.seconds * NS_PER_S


def _still(here: Vector) -> Path:
    return straight(here, here, 1.0)


def _apart(here: Setpoint, there: Setpoint) -> float:
    """The largest difference of any joint (rad) or gripper (0…1)."""
    return max(float(np.abs(here[side] - there[side]).max()) for side in here)
