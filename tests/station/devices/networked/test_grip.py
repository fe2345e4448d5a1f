"""When a gripper has lost what it held, and when it was told to let go of it."""

from station.clock import NS_PER_S
from station.devices.networked.grip import TOLD_NS, Grip
from station.devices.networked.readings import Fingers


class Held:
    """A gripper, ten times a second."""

    def __init__(self) -> None:
        self.grip, self.now_ns = Grip(), NS_PER_S

    def look(self, opening: float, held: bool, asked: float | None = 0.0, velocity: float = 0.0) -> bool:
        self.now_ns += NS_PER_S // 10
        self.grip.look(Fingers(self.now_ns, opening, velocity, held), asked)
        return self.grip.lost(self.now_ns)


def test_fingers_that_close_on_nothing_have_lost_nothing() -> None:
    held = Held()
    assert not any(held.look(opening, False) for opening in (1.0, 0.6, 0.2, 0.0))


def test_what_slips_away_is_lost_and_told_for_a_while() -> None:
    held = Held()
    assert not held.look(0.6, True)
    assert not held.look(0.58, False), "a new position was told: it says for a moment that it moves"
    assert held.look(0.4, False)
    assert held.grip.lost(held.now_ns + TOLD_NS - 1)
    assert not held.grip.lost(held.now_ns + TOLD_NS)


def test_what_is_let_go_of_is_not_lost() -> None:
    held = Held()
    assert not held.look(0.6, True)
    assert not held.look(0.62, False, asked=0.9)
    assert not held.look(0.9, False, asked=0.9)
    assert not held.look(0.2, False, asked=0.0)


def test_something_soft_that_is_squeezed_is_held_on_to() -> None:
    held = Held()
    assert not any(held.look(opening, True) for opening in (0.6, 0.5, 0.4))
    assert not held.look(0.38, False)
    assert held.look(0.3, False)


def test_fingers_that_close_have_lost_it_even_while_they_still_say_that_they_hold_it() -> None:
    held = Held()
    assert not held.look(0.6, True)
    assert not held.look(0.57, True, velocity=-1.0)
    assert held.look(0.45, True, velocity=-1.0)
    assert held.look(0.42, False), "where they come to rest just beyond"


def test_fingers_that_open_over_what_they_are_said_to_hold_have_let_go_of_it() -> None:
    held = Held()
    assert not held.look(0.6, True)
    assert not held.look(0.7, True, asked=0.9, velocity=1.0)
    assert not held.look(0.9, False, asked=0.9)
    assert not held.look(0.2, False, asked=0.0)
