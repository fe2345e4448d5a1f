import numpy as np

from drivers.sim.operator import LEADER_SLEEP, Operator
from drivers.sim.script import START, cube_start, hand_over
from station.bus.messages import Phase, PilotState, SessionState

S = 1_000_000_000


def session(phase: Phase, episode: int = 0) -> SessionState:
    return SessionState(phase, "task", "", episode, 0, 0, 0, 0, ())


def pilot(state: str) -> PilotState:
    return PilotState(state, "leader", "", ())  # type: ignore[arg-type]


def at_start(operator: Operator, now_ns: int) -> bool:
    return all(np.allclose(operator.at(side, now_ns), START[side]) for side in START)


def ready() -> tuple[Operator, int]:
    operator, now = Operator(0, 0), 0
    operator.update(now, None, None, True)
    now = 20 * S
    assert operator.update(now, session("ready"), pilot("engaged"), True) == cube_start(0, 0)
    assert operator.ready
    return operator, now


def test_it_takes_the_leaders_from_their_sleep_to_the_start() -> None:
    operator = Operator(0, 0)
    np.testing.assert_allclose(operator.at("left", 0), LEADER_SLEEP["left"])
    ready()


def test_it_keeps_still_while_the_pilot_aligns_and_goes_on_afterwards() -> None:
    operator = Operator(0, 0)
    operator.update(S // 2, session("opening"), pilot("aligning"), True)
    here = operator.at("left", S // 2)
    operator.update(3 * S, session("opening"), pilot("aligning"), True)
    np.testing.assert_array_equal(operator.at("left", 9 * S), here)
    assert not at_start(operator, 9 * S)
    operator.update(9 * S, session("ready"), pilot("engaged"), True)
    operator.update(30 * S, session("ready"), pilot("engaged"), True)
    assert at_start(operator, 30 * S)
    assert operator.ready


def test_recording_plays_the_hand_over_once_and_then_stays_still() -> None:
    operator, now = ready()
    operator.update(now, session("recording"), pilot("engaged"), True)
    plan = hand_over(cube_start(0, 0))
    for seconds in (0.5, 3.0, 7.0):
        np.testing.assert_array_equal(operator.at("right", now + int(seconds * S)), plan.at(seconds)["right"])
    for later in (10, 60):
        operator.update(now + later * S, session("recording"), pilot("engaged"), True)
        np.testing.assert_array_equal(operator.at("left", now + later * S), plan.at(60)["left"])
    assert operator.state == "done"


def test_the_next_episode_gets_another_place_after_the_hands_went_home() -> None:
    operator, now = ready()
    operator.update(now, session("recording"), pilot("engaged"), True)
    now += 10 * S
    operator.update(now, session("recording"), pilot("engaged"), True)
    assert operator.update(now, session("ready", 1), pilot("engaged"), True) is None
    assert not operator.ready
    now += 10 * S
    assert operator.update(now, session("ready", 1), pilot("engaged"), True) == cube_start(0, 1)
    assert at_start(operator, now)


def test_recording_that_begins_too_early_waits_for_hands_and_cube() -> None:
    operator = Operator(0, 0)
    assert operator.update(0, session("recording"), pilot("engaged"), False) is None
    operator.update(10 * S, session("recording"), pilot("engaged"), False)
    assert operator.state == "waiting"
    assert operator.update(11 * S, session("recording"), pilot("engaged"), True) == cube_start(0, 0)
    operator.update(11 * S, session("recording"), pilot("engaged"), True)
    assert operator.state == "playing"


def test_a_hold_stops_the_hands_where_they_are_and_the_script_is_not_resumed() -> None:
    operator, now = ready()
    operator.update(now, session("recording"), pilot("engaged"), True)
    now += 2 * S
    here = operator.at("right", now)
    operator.update(now, session("recording"), pilot("hold"), True)
    np.testing.assert_array_equal(operator.at("right", now + 5 * S), here)
    operator.update(now + 5 * S, session("hold"), pilot("hold"), True)
    operator.update(now + 6 * S, session("opening"), pilot("aligning"), True)
    np.testing.assert_array_equal(operator.at("right", now + 7 * S), here)
    operator.update(now + 8 * S, session("ready"), pilot("engaged"), True)
    assert operator.state == "homing"


def test_a_prepared_episode_is_placed_without_a_session() -> None:
    operator, now = ready()
    operator.prepare(5, now)
    assert operator.update(now, None, None, True) == cube_start(0, 5)
    assert operator.ready


def test_hands_never_jump() -> None:
    """Whatever the session does, neighbouring asks differ by what a hand can do in 10 ms."""
    operator, now = Operator(0, 0), 0
    phases: list[tuple[Phase, str, int, int]] = [
        ("opening", "aligning", 0, 100),
        ("ready", "engaged", 0, 300),
        ("recording", "engaged", 0, 450),
        ("hold", "hold", 1, 50),
        ("opening", "aligning", 1, 100),
        ("ready", "engaged", 1, 500),
        ("recording", "engaged", 1, 1000),
        ("ready", "engaged", 2, 400),
    ]
    before = operator.at("left", 0), operator.at("right", 0)
    for phase, state, episode, ticks in phases:
        for _ in range(ticks):
            now += S // 100
            operator.update(now, session(phase, episode), pilot(state), True)
            here = operator.at("left", now), operator.at("right", now)
            assert max(np.abs(a - b).max() for a, b in zip(here, before, strict=True)) < 0.05
            before = here
