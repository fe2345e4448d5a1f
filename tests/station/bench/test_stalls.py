"""Silences found from outside: their length, what was stolen, what became of them."""

from pathlib import Path

import pytest

from station.bench.stalls import EpisodeSeen, StallSeen, StallWatch, Steal, tally
from station.clock import NS_PER_MS

MS = NS_PER_MS
STALE_NS = 100 * MS


class Rig:
    """Two arms and their commands, and a kernel that counts."""

    def __init__(self, folder: Path) -> None:
        self.now_ns = 0
        self.stat = folder / "stat"
        self.stolen = 0
        self.watch = StallWatch(0, STALE_NS)
        self.steal = Steal(self.stat)
        self.watch.pilot("engaged", "", 0)

    def run(self, ms: int, silent: tuple[str, ...] = (), stolen_jiffies: int = 0) -> None:
        for _ in range(ms // 5):
            self.now_ns += 5 * MS
            self.stat.write_text(f"cpu  1 2 3 4 5 6 7 {self.stolen} 0 0\ncpu0 1 2 3 4 5 6 7 99 0 0\n")
            self.steal.note(self.now_ns)
            for who in ("leader_left", "follower_left", "commands to follower_left"):
                if who not in silent:
                    self.watch.sent(who, self.now_ns)
        self.stolen += stolen_jiffies

    def done(self) -> list[StallSeen]:
        self.run(3200)
        return self.watch.done(self.now_ns, self.steal)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.run(500)
    return made


@pytest.mark.slow
def test_overlapping_silences_are_one_with_what_was_stolen_in_it(rig: Rig) -> None:
    rig.run(100, ("leader_left",))
    rig.run(50, ("leader_left", "follower_left"), stolen_jiffies=12)
    rig.run(100, ("follower_left",))
    (stall,) = rig.done()
    assert stall.who == ("leader_left", "follower_left")
    assert stall.at_s == pytest.approx(0.5)
    assert stall.ms == 255.0
    assert stall.stolen_ms == 120.0
    assert (stall.outcome, stall.ended_episode) == ("went on", False)


@pytest.mark.slow
def test_what_became_of_it_is_heard_of_later(rig: Rig) -> None:
    rig.run(305, ("leader_left",))
    rig.watch.pilot("hold", "leader_left has been silent for 302 ms", rig.now_ns)
    rig.run(400, ("leader_left", "commands to follower_left"))
    rig.watch.episode_ended(rig.now_ns + 10 * MS)
    (stall,) = rig.done()
    assert (stall.outcome, stall.why) == ("held", "leader_left has been silent for 302 ms")
    assert stall.ms == 710.0
    assert stall.ended_episode


@pytest.mark.slow
def test_while_nobody_commands_missing_commands_are_none(rig: Rig) -> None:
    rig.watch.pilot("idle", "", rig.now_ns)
    rig.run(500, ("commands to follower_left",))
    assert rig.done() == []
    rig.run(200, ("follower_left",))
    (stall,) = rig.done()
    assert stall.outcome == "nobody commanded"


def test_the_tally_counts_what_ended_episodes_by_length() -> None:
    def seen(ms: float, ended: bool, why: str = "") -> StallSeen:
        return StallSeen(0.0, ms, ("a",), 0.0, "held" if ended else "went on", why, ended)

    stalls = [
        seen(120, False),
        seen(140, True, "a for 140 ms, again within 2 s"),
        seen(310, True),
        seen(150, True, "?"),
    ]
    assert tally(stalls, 300.0) == (4, 720.0, 310.0, 1, 1, 1, 1)
    assert EpisodeSeen(0.0, 1, 0, 0, "").ended == ""
