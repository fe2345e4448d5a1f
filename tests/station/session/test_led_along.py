"""The leaders in a policy's sitting: asked about once, never limp by a key alone, and told what to do until hands can take over."""

import msgspec
import pytest

from station.bus.actions import offered
from station.bus.messages import PilotState
from station.bus.requests import CloseSession, Done, DriveLeaders, Engage, HandOver, LeadersAlong, OpenSession, Refused
from station.rig.file import Teleop
from tests.station.session.test_rollouts import OPEN, answered
from tests.station.session.world import World

LEADERS = ("leader_left",)


def pilot(
    along: bool = False, stiff: bool = False, to_fit: str = "", drivable: tuple[str, ...] = LEADERS
) -> PilotState:
    return PilotState(
        "engaged", "policy", "", (), stiff=LEADERS if stiff else (), drivable=drivable, along=along, to_fit=to_fit
    )


def sitting(setting: str = "ask", state: PilotState | None = None) -> World:
    world = World()
    world.core._now.rig = msgspec.structs.replace(world.core._now.rig, teleop=Teleop(driven_leaders=setting))  # type: ignore[arg-type]
    world.heard_runner(7)
    world.heard_pilot(state or pilot())
    world.press(OPEN)
    return world


def names(world: World) -> set[str]:
    return {action.name for action in offered(world.core.state())}


def test_it_is_asked_once_in_a_sitting() -> None:
    world = sitting()
    assert (world.core.state().leaders, world.pilot_asked) == ("ask", [])
    assert "leaders" in names(world)
    world.press(LeadersAlong())
    answered(world.pilot_asked, DriveLeaders(True))
    assert world.replies[-1] == Done()
    world.heard_pilot(pilot(along=True))
    assert world.core.state().leaders == "on"
    world.press(LeadersAlong())
    answered(world.pilot_asked, DriveLeaders(False))
    world.heard_pilot(pilot())
    assert world.core.state().leaders == "off", "it was said, and is not asked again"


def test_what_was_said_in_one_sitting_does_not_count_in_the_next() -> None:
    world = sitting(state=pilot(along=True))
    answered(world.pilot_asked, DriveLeaders(False))


@pytest.mark.parametrize(("setting", "along", "shown"), [("on", True, "on"), ("off", False, "")])
def test_where_the_rig_file_says_it_nobody_is_asked(setting: str, along: bool, shown: str) -> None:
    world = sitting(setting, pilot(along=along))
    assert (world.core.state().leaders, world.pilot_asked) == (shown, [])
    assert ("leaders" in names(world)) == bool(shown)


def test_where_no_leader_can_go_along_nothing_is_offered_and_asking_says_so() -> None:
    world = sitting(state=pilot(drivable=()))
    assert world.core.state().leaders == ""
    world.press(LeadersAlong(True))
    refused = world.replies[-1]
    assert isinstance(refused, Refused) and "no leader of this rig goes along" in refused.why
    assert world.pilot_asked == []


def test_what_the_pilot_refuses_is_not_taken_for_an_answer() -> None:
    world = sitting()
    world.press(LeadersAlong(True))
    answered(world.pilot_asked, DriveLeaders(True), Refused("the rig file has teleop.driven_leaders: off"))
    assert isinstance(world.replies[-1], Refused)
    assert world.core.state().leaders == "ask"


def test_i_hold_the_leaders_is_offered_while_they_have_torque_and_goes_to_the_pilot() -> None:
    world = sitting()
    assert "held" not in names(world)
    world.heard_pilot(pilot(along=True, stiff=True))
    assert "held" in names(world)
    world.press(HandOver("leader"))
    answered(world.pilot_asked, Engage("leader"), Refused("leader_left has torque and no hand is felt on it"))
    world.press(HandOver("leader", held=True))
    answered(world.pilot_asked, Engage("leader", held=True))
    assert world.replies[-1] == Done()


def test_what_hands_are_to_do_until_they_can_take_over_is_shown_live() -> None:
    world = sitting()
    for words in ("leader_left: raise waist by 85°", "leader_left: raise waist by 50°", ""):
        world.heard_pilot(pilot(to_fit=words))
        assert world.core.state().to_fit == words


def test_a_sitting_of_hands_says_nothing_of_it() -> None:
    world = World()
    world.heard_pilot(pilot(along=True, stiff=True, to_fit="leader_left: raise waist by 85°"))
    world.press(OpenSession("pick"))
    state = world.core.state()
    assert (state.leaders, state.stiff, state.to_fit) == ("", False, "")
    assert "leaders" not in names(world)
    world.press(CloseSession())
