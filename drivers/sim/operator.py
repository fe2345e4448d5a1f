"""The scripted operator: a client of the session who moves the leaders' shafts and puts the cube back. Pure.

    meeting ──engaged──► homing ──hands at start, cube placed──► waiting ──recording──► playing ──► done ──next──► homing …

Before the arms are engaged the hands bring the leaders to where the followers are. They keep still while the pilot aligns
the followers with them, and stop where they are when it holds.
Everything else goes the way of a human's hands: real drivers, pilot, followers.
"""

from typing import Literal, NamedTuple

import numpy as np

from drivers.sim.scene import SIDES
from drivers.sim.script import START, Ask, CubeStart, Path, Plan, Vector, cube_start, hand_over, straight
from station.bus.messages import PilotState, SessionState
from station.clock import NS_PER_S

LEADER_SLEEP: dict[str, Vector] = {side: np.array([0.0, -1.1, 1.24, 0.0, -0.24, 0.0, 0.0]) for side in SIDES}
"""Where ALOHA's leaders rest; gripper closed."""
_HOME_UNITS_S = 0.8
_HOME_LEAST_S = 1.0
_MET_RAD = 0.05
_BETWEEN_EPISODES = ("opening", "ready", "reset")

State = Literal["meeting", "homing", "waiting", "playing", "done"]


class _Motion(NamedTuple):
    """Replaced whole, so that the bus threads never see half of one."""

    begin_ns: int
    plan: Plan


class Operator:
    """One operator at both leaders. `update` belongs to one thread; `at` may be called from any."""

    def __init__(self, seed: int, now_ns: int) -> None:
        self._seed = seed
        self.state: State = "homing"
        self.episode = 0
        self.placed = False
        self._plan: Plan | None = None
        self._frozen = False
        self._motion = _Motion(now_ns, Plan({side: _still(LEADER_SLEEP[side]) for side in SIDES}))
        self._home(now_ns)

    def at(self, side: str, now_ns: int) -> Vector:
        """What this hand asks for: six joint angles (rad), the gripper 0 closed to 1 open. (7,)"""
        motion = self._motion
        return motion.plan.paths[side].at((now_ns - motion.begin_ns) / NS_PER_S)

    @property
    def ready(self) -> bool:
        """Is the cube in its place, and do the hands wait (at the start, or with the followers)?"""
        return self.state in ("waiting", "meeting") and self.placed

    def prepare(self, episode: int, now_ns: int) -> None:
        """Go back to the start and put the cube where it is for this episode."""
        self.episode, self.placed = episode, False
        if self.state not in ("waiting", "meeting"):
            self._home(now_ns)

    def update(
        self, now_ns: int, session: SessionState | None, pilot: PilotState | None, followers: Ask, clear: bool
    ) -> CubeStart | None:
        """See what the session does; returns where the cube is to be put now, if it is.

        `followers`: where they are, (7,) each. `clear`: no gripper is near the cube's place.
        """
        if pilot is not None and pilot.state == "idle":
            self._meet(followers, now_ns)
            return self._place(clear)
        if self._must_keep_still(pilot):
            self._freeze(now_ns)
            return None
        if pilot is not None and pilot.source != "leader":
            return self._watch(session, clear)
        self._thaw(now_ns)
        phase = session.phase if session is not None else "ended"
        if (
            session is not None
            and phase in _BETWEEN_EPISODES
            and (session.episode != self.episode or self.state in ("playing", "done"))
        ):
            self.prepare(session.episode, now_ns)
        if self.state == "homing" and self._finished(now_ns):
            self.state = "waiting"
        if self.state == "waiting" and not self.placed:
            return self._place(clear)
        if self.ready and phase == "recording" and self._plan is not None:
            self.state, self._motion = "playing", _Motion(now_ns, self._plan)
        if self.state == "playing" and self._finished(now_ns):
            self.state = "done"
        return None

    def _watch(self, session: SessionState | None, clear: bool) -> CubeStart | None:
        """A policy or a replay commands: the hands are off, only the cube is put back between a session's episodes."""
        if session is None or session.phase not in _BETWEEN_EPISODES:
            return None
        if session.episode != self.episode:
            self.episode, self.placed = session.episode, False
        return self._place(clear)

    def _place(self, clear: bool) -> CubeStart | None:
        if self.placed or not clear:
            return None
        self.placed = True
        cube = cube_start(self._seed, self.episode)
        self._plan = hand_over(cube)
        return cube

    def _meet(self, followers: Ask, now_ns: int) -> None:
        """Not engaged: bring the leaders to the followers, so that the alignment is short."""
        self._frozen = False
        if self.state == "meeting" and not self._finished(now_ns):
            return
        here = {side: self.at(side, now_ns) for side in SIDES}
        if self.state != "meeting" or max(_apart(here[side], followers[side]) for side in SIDES) > _MET_RAD:
            self.state = "meeting"
            self._move(followers, now_ns)

    def _must_keep_still(self, pilot: PilotState | None) -> bool:
        return pilot is not None and pilot.state in ("aligning", "hold")

    def _freeze(self, now_ns: int) -> None:
        if not self._frozen and self.state in ("meeting", "homing", "playing"):
            self._motion = _Motion(now_ns, Plan({side: _still(self.at(side, now_ns)) for side in SIDES}))
            self._frozen = True

    def _thaw(self, now_ns: int) -> None:
        """Engaged (again): the hands go home; a hand-over that was interrupted is not resumed."""
        if self._frozen or self.state == "meeting":
            self._frozen = False
            self._home(now_ns)
            self.placed = False

    def _home(self, now_ns: int) -> None:
        self.state = "homing"
        self._move(START, now_ns)

    def _move(self, to: Ask, now_ns: int) -> None:
        here = {side: self.at(side, now_ns) for side in SIDES}
        far = max(float(np.abs(here[side] - to[side]).max()) for side in SIDES)
        seconds = max(_HOME_LEAST_S, 1.875 * far / _HOME_UNITS_S)  # a minimum-jerk move peaks at 1.875 × its mean speed
        self._motion = _Motion(now_ns, Plan({side: straight(here[side], to[side], seconds) for side in SIDES}))

    def _finished(self, now_ns: int) -> bool:
        return now_ns - self._motion.begin_ns >= self._motion.plan.seconds * NS_PER_S


def _apart(hand: Vector, follower: Vector) -> float:
    return float(np.abs(hand[:6] - follower[:6]).max())


def _still(here: Vector) -> Path:
    return straight(here, here, 1.0)
