from pathlib import Path

import pytest

from station.bus.messages import SCHEMA, Applied, ArmState, Chosen, Header, Setpoint, SourceName
from station.bus.wire import Sample
from station.rig.file import Base, Safety
from station.rig.rig import Device, Rig, Side
from station.sync.aligner import Instant
from station.sync.rows import RowMaker, observation


def rig(leaders: bool = True) -> Rig:
    sides = tuple(
        Side(name, Base(), f"leader_{name}" if leaders else None, f"follower_{name}") for name in ("left", "right")
    )
    devices = [Device(f"follower_{side.name}", "follower", "x:Y", None, side.name) for side in sides]
    devices.append(Device("cam", "camera", "x:Y", None))
    return Rig("r", Path("r.yaml"), "", 50.0, 3.0, Path(), "jpeg", sides, tuple(devices), Safety(), None)


def arm(node: str, captured_ns: int, position: tuple[float, ...], aperture: float | None = None) -> Sample:
    state = ArmState(position, (0.5,) * len(position), (7.0,) * len(position), aperture, aperture, True)
    return Sample("arm_state", node, Header(SCHEMA, 1, 3, captured_ns, captured_ns), state, ())


def instant(t_ns: int, *samples: Sample) -> Instant:
    chosen = tuple(Chosen(s.node, 1, 3, s.header.captured_at_ns, t_ns - s.header.captured_at_ns, True) for s in samples)
    return Instant(t_ns, chosen, {s.node: s for s in samples})


def full(t_ns: int = 1000) -> Instant:
    return instant(
        t_ns, arm("leader_left", 990, (0.1, 0.2)), arm("leader_right", 980, (0.3, 0.4)),
        arm("follower_left", 995, (1.0, 0.9), 0.8), arm("follower_right", 996, (2.0, 0.7), 0.6),
    )  # fmt: skip


def applied(
    node: str, goal: tuple[float, ...], setpoint_at_ns: int = 0, source: SourceName = "leader", tick: int = -1
) -> Applied:
    return Applied(node, source, tick, 0, setpoint_at_ns, goal, hold=source == "hold")


def test_observation_has_the_aperture_where_aloha_has_it() -> None:
    seen = observation(rig(), full())
    assert seen.qpos == (1.0, 0.8, 2.0, 0.6)
    assert seen.qvel == (0.5, 0.8, 0.5, 0.6)
    assert seen.effort == (7.0,) * 4


def test_action_is_the_leaders_setpoint_and_action_sent_what_was_written_for_that_very_setpoint() -> None:
    rows = RowMaker(rig())
    rows.applied(applied("follower_left", (0.10, 0.2), setpoint_at_ns=990))
    rows.applied(
        applied("follower_left", (0.99, 0.2), setpoint_at_ns=1005)
    )  # a later setpoint: belongs to the next row
    rows.applied(applied("follower_right", (0.25, 0.4), setpoint_at_ns=980))
    row = rows.close(7, 0, full(), False, False)
    assert row.action == (0.1, 0.2, 0.3, 0.4)
    assert row.action_sent == (0.10, 0.2, 0.25, 0.4)
    assert (row.source, row.human_action, row.policy_action) == ("leader", row.action, None)


def test_a_policys_action_is_what_it_issued_for_that_tick_as_issued() -> None:
    rows = RowMaker(rig(leaders=False))
    for tick in (6, 7, 8):
        rows.asked(Setpoint("policy", tick, 0, (float(tick),) * 4))
        rows.applied(applied("follower_left", (tick + 0.5, 0.0), source="policy", tick=tick))
        rows.applied(applied("follower_right", (tick + 0.25, 0.0), source="policy", tick=tick))
    row = rows.close(7, 0, full(), False, False)
    assert row.action == (7.0,) * 4
    assert row.action_sent == (7.5, 0.0, 7.25, 0.0)
    assert (row.source, row.policy_action, row.intervention) == ("policy", (7.0,) * 4, False)


def test_a_human_taking_over_is_an_intervention() -> None:
    rows = RowMaker(rig())
    rows.asked(Setpoint("policy", 7, 0, (9.0,) * 4))
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (0.0, 0.0), setpoint_at_ns=990))
    row = rows.close(7, 0, full(), False, False)
    assert row.intervention
    assert row.policy_action == (9.0,) * 4
    assert row.action == row.human_action == (0.1, 0.2, 0.3, 0.4)


def test_a_policy_that_asks_to_hold_has_no_action_but_still_runs() -> None:
    rows = RowMaker(rig())
    rows.asked(Setpoint("policy", 7, 0, (9.0,) * 4, hold=True, why="starved"))
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (0.0, 0.0), setpoint_at_ns=990))
    row = rows.close(7, 0, full(), False, False)
    assert (row.policy_action, row.intervention, row.source) == (None, True, "leader")
    assert not rows.close(40, 1, full(), False, False).intervention, "it has not asked for half a second"


def test_a_goal_that_stands_in_a_hand_over_is_a_hold() -> None:
    rows = RowMaker(rig())
    rows.asked(Setpoint("policy", 7, 0, (9.0,) * 4))
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (8.0, 8.0), source="policy", tick=6))
        rows.applied(Applied(node, "none", 6, 0, 0, (8.0, 8.0)))
    row = rows.close(7, 0, full(), False, False)
    assert (row.source, row.action, row.action_sent) == ("hold", (9.0,) * 4, (8.0,) * 4)


def test_driven_leaders_are_no_human() -> None:
    rows = RowMaker(rig())
    rows.asked(Setpoint("policy", 7, 0, (9.0,) * 4))
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (8.0, 8.0), source="policy", tick=7))
    row = rows.close(7, 0, full(), False, False)
    assert (row.source, row.human_action, row.action) == ("policy", None, (9.0,) * 4)
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (8.0, 8.0), source="hold", tick=7))
    held = rows.close(7, 1, full(), False, False)
    assert (held.source, held.human_action, held.action) == ("hold", None, (9.0,) * 4)


@pytest.mark.parametrize("pilot_holds", [True, False])
def test_hold_shows_as_source_and_keeps_the_setpoint(pilot_holds: bool) -> None:
    rows = RowMaker(rig())
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (0.0, 0.0), setpoint_at_ns=500))
        if not pilot_holds:
            rows.applied(applied(node, (0.01, 0.0), source="hold"))
    row = rows.close(7, 0, full(), False, pilot_holds)
    assert row.source == "hold"
    assert row.action == (0.1, 0.2, 0.3, 0.4)
    assert row.action_sent[0] == (0.0 if pilot_holds else 0.01)


def test_a_stall_marks_its_rows_and_leaves_the_source() -> None:
    rows = RowMaker(rig())
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (0.1, 0.2), setpoint_at_ns=990))
    assert not rows.close(7, 0, full(), False, False).stalled
    rows.applied(Applied("follower_left", "leader", -1, 0, 990, (0.12, 0.2), stalled=True))
    row = rows.close(7, 1, full(), False, False)
    assert (row.stalled, row.source, row.action_sent[:2]) == (True, "leader", (0.12, 0.2))
    assert not rows.close(7, 1, full(), False, True).stalled, "in hold it is a hold"


def test_a_setpoint_that_is_too_old_at_its_tick_is_a_stall_that_nobody_noticed() -> None:
    rows = RowMaker(rig())
    for node in ("follower_left", "follower_right"):
        rows.applied(applied(node, (0.1, 0.2), setpoint_at_ns=990))
    late = Instant(990 + 100_000_000, full().chosen, full().samples)
    assert not rows.close(7, 0, late, False, False).stalled
    assert rows.close(7, 0, late._replace(t_ns=late.t_ns + 1), False, False).stalled


def test_nothing_applied_yet_is_what_the_arms_are_at() -> None:
    row = RowMaker(rig(leaders=False)).close(7, 0, full(), False, False)
    assert row.action == row.action_sent == (1.0, 0.9, 2.0, 0.7)
    assert row.source == "none"
