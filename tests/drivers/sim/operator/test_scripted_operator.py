import numpy as np

from drivers.sim.operator.script import REST, START, CubeStart, Setpoint, cube_start, hand_over
from drivers.sim.operator.scripted_operator import Operator
from station.bus.messages import Phase, PilotState, SessionState

S = 1_000_000_000


class Sitting:
    """An operator, and the pilot and the session it sees, 100 times a second."""

    def __init__(self) -> None:
        self.now = 0
        self.operator = Operator(0, 0)
        self.followers: Setpoint = {side: REST[side].copy() for side in REST}
        self.pilot, self.phase, self.episode, self.clear = "idle", "ended", 0, True
        self.source = "leader"
        self.placed: list[CubeStart] = []
        self.fastest = 0.0

    def go_on(self, seconds: float, pilot: str = "", phase: Phase | None = None, episode: int | None = None) -> None:
        self.pilot = pilot or self.pilot
        self.phase = phase or self.phase
        self.episode = self.episode if episode is None else episode
        for _ in range(round(seconds * 100)):
            before = self.hands()
            self.now += S // 100
            session = SessionState(self.phase, "t", "", self.episode, 0, 0, 0, 0, ())  # type: ignore[arg-type]
            pilot_state = PilotState(self.pilot, self.source, "", ())  # type: ignore[arg-type]
            cube = self.operator.update(self.now, session, pilot_state, self.followers, self.clear)
            self.placed += [cube] if cube else []
            self.fastest = max(self.fastest, apart(before, self.hands()) * 100)

    def hands(self) -> Setpoint:
        return {side: self.operator.at(side, self.now) for side in START}


def apart(a: Setpoint, b: Setpoint) -> float:
    return max(float(np.abs(a[side] - b[side]).max()) for side in a)


def ready() -> Sitting:
    sitting = Sitting()
    sitting.go_on(1)
    sitting.go_on(1, "aligning", "opening")
    sitting.go_on(5, "engaged", "ready")
    assert sitting.operator.state == "waiting"
    assert sitting.operator.ready
    return sitting


def test_it_leaves_the_leaders_with_the_followers_until_engaged_and_then_goes_to_the_start() -> None:
    sitting = Sitting()
    sitting.go_on(5)
    assert apart(sitting.hands(), sitting.followers) == 0
    sitting.go_on(3, "aligning", "opening")
    assert apart(sitting.hands(), sitting.followers) == 0
    assert not sitting.operator.ready, "the hands are about to go to the start"
    sitting.go_on(5, "engaged", "ready")
    assert apart(sitting.hands(), START) < 1e-12
    assert sitting.placed == [cube_start(0, 0)]


def test_it_brings_the_leaders_to_wherever_the_followers_are_before_an_alignment() -> None:
    sitting = Sitting()
    sitting.followers["left"] = REST["left"] + [0.5, 0.6, -0.5, 0.4, 0.3, 0.2, 0.7]
    sitting.go_on(5)
    assert apart(sitting.hands(), sitting.followers) < 0.01
    assert sitting.fastest < 1.0


def test_it_keeps_still_while_the_pilot_aligns() -> None:
    sitting = Sitting()
    sitting.followers["left"] = REST["left"] + 0.5
    sitting.go_on(0.4)
    here = sitting.hands()
    sitting.go_on(0.01, "aligning", "opening")
    still = sitting.hands()
    sitting.go_on(3)
    assert apart(still, sitting.hands()) == 0
    assert apart(here, still) < 0.05


def test_recording_plays_the_hand_over_once_and_then_stays_still() -> None:
    sitting = ready()
    plan = hand_over(cube_start(0, 0))
    sitting.go_on(0.01, phase="recording")
    begin = sitting.now
    for seconds in (0.5, 3.0, 7.0):
        assert apart({s: sitting.operator.at(s, begin + int(seconds * S)) for s in START}, plan.at(seconds)) == 0
    sitting.go_on(10)
    assert sitting.operator.state == "done"
    sitting.go_on(50)
    assert apart(sitting.hands(), plan.at(60)) == 0


def test_the_next_episode_gets_another_place_after_the_hands_went_home() -> None:
    sitting = ready()
    sitting.go_on(10, phase="recording")
    sitting.go_on(0.5, phase="ready", episode=1)
    assert not sitting.operator.ready
    assert sitting.placed == [cube_start(0, 0)]
    sitting.go_on(5)
    assert sitting.operator.ready
    assert sitting.placed == [cube_start(0, 0), cube_start(0, 1)]
    assert apart(sitting.hands(), START) < 1e-12


def test_recording_that_begins_too_early_waits_for_hands_and_cube() -> None:
    sitting = Sitting()
    sitting.clear = False
    sitting.go_on(5, "engaged", "recording")
    assert (sitting.operator.state, sitting.placed) == ("waiting", [])
    sitting.clear = True
    sitting.go_on(0.05)
    assert sitting.operator.state == "playing"


def test_a_hold_ends_the_hand_over_for_good() -> None:
    sitting = ready()
    sitting.go_on(2, phase="recording")
    sitting.followers = sitting.hands()
    sitting.go_on(3, "hold", "hold", 1)
    assert apart(sitting.hands(), sitting.followers) < 0.1
    sitting.go_on(2, "aligning", "opening")
    sitting.go_on(0.05, "engaged", "ready")
    assert sitting.operator.state == "homing"
    sitting.go_on(5)
    assert sitting.operator.ready
    assert sitting.placed[-1] == cube_start(0, 1)


def test_hands_go_along_while_a_policy_commands_and_the_cube_is_put_back_between_its_episodes() -> None:
    sitting = Sitting()
    sitting.source = "policy"
    sitting.go_on(1)
    for episode in range(3):
        sitting.followers = {side: REST[side] + 0.3 * episode for side in REST}
        sitting.go_on(1, "engaged", "ready", episode)
        sitting.go_on(5, phase="recording")
        assert apart(sitting.hands(), sitting.followers) == 0
    assert sitting.placed == [cube_start(0, episode) for episode in range(3)]


def test_a_scene_can_be_prepared_without_a_sitting() -> None:
    sitting = Sitting()
    sitting.go_on(1)
    sitting.operator.prepare(5, sitting.now)
    assert not sitting.operator.ready
    assert sitting.operator.update(sitting.now, None, None, sitting.followers, True) == cube_start(0, 5)
    assert not sitting.operator.ready, "a camera may still show the cube where it was"
    sitting.operator.update(sitting.now + S, None, None, sitting.followers, True)
    assert sitting.operator.ready


def test_a_scene_that_was_asked_for_stays_for_the_episode_that_follows_whatever_its_number() -> None:
    """As an evaluation's trials have it: its scenes are not numbered as its episodes are."""
    sitting = Sitting()
    sitting.source = "policy"
    sitting.go_on(1, "engaged", "ready", 0)
    for episode, scene in enumerate((1000, 1000, 7)):
        sitting.go_on(0.5, phase="reset", episode=episode)
        sitting.operator.prepare(scene, sitting.now)
        sitting.go_on(2)
        assert sitting.operator.ready and sitting.operator.episode == scene
        sitting.go_on(1, phase="ready")
        sitting.go_on(3, phase="recording")
        assert sitting.operator.episode == scene
    sitting.go_on(1, phase="reset", episode=3)
    assert sitting.operator.episode == 3, "that nobody asked for another"


def test_a_scene_that_was_asked_for_before_the_session_speaks_of_its_next_episode_stays_too() -> None:
    sitting = Sitting()
    sitting.source = "policy"
    sitting.go_on(1, "engaged", "reset", 4)
    sitting.operator.prepare(9, sitting.now)
    sitting.go_on(2, phase="reset", episode=5)
    assert sitting.operator.episode == 9


def test_hands_never_jump() -> None:
    sitting = Sitting()
    for pilot, phase, episode, seconds in (
        ("aligning", "opening", 0, 1.0),
        ("engaged", "ready", 0, 1.0),
        ("engaged", "recording", 0, 6.5),
        ("hold", "hold", 1, 0.5),
        ("aligning", "opening", 1, 1.0),
        ("engaged", "ready", 1, 5.0),
        ("engaged", "recording", 1, 10.0),
        ("engaged", "ready", 2, 4.0),
        ("idle", "ended", 2, 5.0),
    ):
        sitting.go_on(seconds, pilot, phase, episode)  # type: ignore[arg-type]
    assert sitting.fastest < 4.5


def test_it_swings_both_arms_at_changing_speed_while_it_waits_and_is_followed() -> None:
    sitting = Sitting()
    assert not sitting.operator.swing(0, 6.0)
    sitting = ready()
    assert sitting.operator.swing(sitting.now, 6.0)
    waists: dict[str, list[float]] = {side: [] for side in START}
    grippers: list[float] = []
    for _ in range(900):
        sitting.go_on(0.01)
        for side, hand in sitting.hands().items():
            waists[side].append(float(hand[0]))
            grippers.append(float(hand[6]))
    for path in waists.values():
        assert max(path) > 0.22
        assert min(path) < -0.22
        turns = np.flatnonzero(np.diff(np.sign(np.diff(path))))
        assert len(set(np.diff(turns) // 10)) > 2
        assert abs(path[-1]) < 1e-6
    assert max(grippers) > 0.95
    assert min(grippers) == 0.0
    assert sitting.operator.state == "waiting"
    assert sitting.fastest < 2.0


def test_heedless_hands_swing_on_through_a_hold_until_the_arms_are_aligned() -> None:
    sitting = ready()
    assert sitting.operator.swing(sitting.now, 20.0, heedless=True)
    sitting.go_on(1.0)
    sitting.go_on(1.0, "hold")
    waists: list[float] = []
    for _ in range(400):
        sitting.go_on(0.01)
        waists.append(float(sitting.hands()["left"][0]))
    assert max(waists) - min(waists) > 0.4
    sitting.go_on(0.1, "aligning")
    here = sitting.hands()
    sitting.go_on(2.0)
    assert apart(sitting.hands(), here) == 0
