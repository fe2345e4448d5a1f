"""An act under way: one step at a time, and whoever asked is answered once."""

from collections.abc import Iterator

from station.bus.requests import Done, Refused, Reply
from station.clock import NS_PER_S
from station.devices.acting import Acting
from station.errors import CommandRefused


def steps(*waits: str, fails: str = "") -> Iterator[str]:
    yield from waits
    if fails:
        raise CommandRefused(fails)


def test_it_is_done_when_its_steps_are() -> None:
    acting = Acting()
    answers: list[Reply] = []
    acting.begin("recover", steps("motors on", "brakes released"), answers.append, 0)
    assert not acting.step(1)
    assert acting.doing == "recover is under way: motors on"
    assert not acting.step(2)
    assert (acting.step(3), acting.busy, answers) == (True, False, [Done("recover is done")])
    assert not acting.step(4)
    assert len(answers) == 1


def test_what_cannot_be_done_is_told_and_the_arm_looked_at_again() -> None:
    acting = Acting()
    answers: list[Reply] = []
    acting.begin(
        "guide", steps("a button", fails="it is in local mode. Next: put it into remote mode"), answers.append, 0
    )
    acting.step(1)
    assert acting.step(2)
    assert answers == [Refused("it is in local mode. Next: put it into remote mode")]


def test_one_that_hangs_is_given_up() -> None:
    acting = Acting()
    answers: list[Reply] = []
    acting.begin("recover", iter(lambda: "its safety controller", ""), answers.append, 0)
    assert not acting.step(59 * NS_PER_S)
    assert acting.step(61 * NS_PER_S)
    (answer,) = answers
    assert isinstance(answer, Refused) and "waited for its safety controller for 60 s" in answer.why
    assert not acting.busy


def test_a_lost_device_ends_it() -> None:
    acting = Acting()
    answers: list[Reply] = []
    acting.begin("recover", steps("motors on"), answers.append, 0)
    acting.end(Refused("lost"))
    acting.end(Refused("lost twice"))
    assert answers == [Refused("lost")]
