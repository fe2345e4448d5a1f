"""Hands that put a simulated scene back: once per episode, beside the panel, and told."""

import threading

from station.cli.operator.scene_hands import WORKS, SceneHands
from station.errors import NodeAbsent


def test_a_scene_is_made_once_per_episode_and_only_between_two() -> None:
    made: list[int] = []
    go_on = threading.Event()

    def arrange(episode: int) -> None:
        assert go_on.wait(10)
        made.append(episode)

    hands = SceneHands(arrange)
    assert hands.between(False, 3) == "" and not hands.busy
    assert hands.between(True, 3) == WORKS and hands.busy
    assert hands.between(True, 3) == WORKS
    go_on.set()
    hands.wait()
    assert hands.between(True, 3) == "" and hands.between(False, 3) == ""
    hands.between(True, 4)
    hands.wait()
    assert made == [3, 4]


def test_what_could_not_be_put_back_is_said() -> None:
    def arrange(_: int) -> None:
        raise NodeAbsent("world did not answer")

    hands = SceneHands(arrange)
    hands.between(True, 0)
    hands.wait()
    assert "world did not answer" in hands.between(True, 0)
