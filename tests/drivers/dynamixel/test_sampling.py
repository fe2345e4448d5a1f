"""Who is asked when somebody is silent, on a wire and a clock of the test's own."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from drivers.dynamixel.bus import Answer, Answers
from drivers.dynamixel.sampling import SILENT_AFTER, Sampler
from station.clock import NS_PER_MS
from station.rig.file import Safety

IDS = (1, 2, 4, 6, 7, 8, 9)
PERIOD_NS, WIRE_NS, WAITED_NS = 5 * NS_PER_MS, 5 * NS_PER_MS // 2, 4 * NS_PER_MS


class Wire:
    """Some servos answer nothing for a while; that costs the slack."""

    def __init__(self, absent: Sequence[int], away_ns: int) -> None:
        self.now_ns, self._absent, self.away_ns = 0, absent, away_ns
        self.asked: list[tuple[int, ...]] = []

    def sync_read(self, ids: Sequence[int], _address: int, length: int) -> Answers:
        self.asked.append(tuple(ids))
        sent_ns = self.now_ns
        away = set(self._absent if sent_ns < self.away_ns else ())
        self.now_ns += WIRE_NS + WAITED_NS * bool(away & set(ids))
        answers = {servo_id: Answer(0, bytes(length)) for servo_id in ids if servo_id not in away}
        return Answers(answers, sent_ns, self.now_ns)


def until_whole(wire: Wire) -> int:
    """How long after the servos are back the arm is read whole."""
    sampler = Sampler(wire, IDS, 200.0, 1_000_000, False)  # type: ignore[arg-type]
    while True:
        sample = sampler.read(wire.now_ns)
        if sample.complete and sample.sent_ns >= wire.away_ns:
            return sample.done_ns - wire.away_ns
        wire.now_ns = max(-(-wire.now_ns // PERIOD_NS), wire.now_ns // PERIOD_NS + 1) * PERIOD_NS


@given(st.lists(st.sampled_from(IDS), min_size=1, unique=True), st.integers(0, 500 * NS_PER_MS))
def test_who_was_silent_for_a_moment_is_back_long_before_the_arm_is_taken_for_silent(
    absent: list[int], away_ns: int
) -> None:
    assert until_whole(Wire(absent, away_ns)) <= Safety().stale_ms * NS_PER_MS / 2


def test_those_that_answer_are_read_meanwhile_without_waiting_for_the_silent_one() -> None:
    wire = Wire((4,), 1000 * NS_PER_MS)
    until_whole(wire)
    without = [ids for ids in wire.asked[2 * SILENT_AFTER :] if 4 not in ids]
    assert len(without) > len(wire.asked) // 2
