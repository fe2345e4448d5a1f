from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages import SCHEMA, ArmState, Header
from station.bus.wire import Sample
from station.sync.aligner import DEPTH, Aligner

STATE = ArmState((0.0,), (0.0,), (0.0,), None, None, False)


def sample(captured_ns: int, sequence: int, start_id: int = 1, node: str = "a") -> Sample:
    return Sample("arm_state", node, Header(SCHEMA, start_id, sequence, captured_ns, captured_ns), STATE, ())


def test_a_tick_takes_the_newest_sample_at_or_before_it() -> None:
    aligner = Aligner(["a"])
    for sequence, t in enumerate((10, 20, 30)):
        aligner.push("a", sample(t, sequence))
    chosen = aligner.choose(20).chosen[0]
    assert (chosen.captured_at_ns, chosen.age_ns, chosen.is_new) == (20, 0, True)
    chosen = aligner.choose(29).chosen[0]
    assert (chosen.captured_at_ns, chosen.age_ns, chosen.is_new) == (20, 9, False)
    assert aligner.choose(30).chosen[0].captured_at_ns == 30


def test_a_sample_from_the_future_waits_for_its_tick() -> None:
    aligner = Aligner(["a"])
    aligner.push("a", sample(50, 0))
    assert aligner.choose(40).chosen == ()
    assert aligner.choose(60).chosen[0].age_ns == 10


def test_a_dead_stream_repeats_with_growing_age() -> None:
    aligner = Aligner(["a"])
    aligner.push("a", sample(5, 0))
    ages = [aligner.choose(t).chosen[0].age_ns for t in (10, 30, 1000)]
    assert ages == [5, 25, 995]


def test_a_restarted_node_with_the_same_sequence_is_new() -> None:
    aligner = Aligner(["a"])
    aligner.push("a", sample(5, 0, start_id=1))
    aligner.choose(6)
    aligner.push("a", sample(7, 0, start_id=2))
    assert aligner.choose(8).chosen[0].is_new


def test_missing_names_streams_without_a_sample() -> None:
    aligner = Aligner(["a"])
    aligner.expect("b")
    aligner.push("b", sample(1, 0, node="b"))
    assert aligner.missing == ("a",)


@given(
    pushes=st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(0, 2**32)), max_size=200),
    ticks=st.lists(st.integers(-(2**62), 2**62), max_size=20),
)
def test_whatever_comes_in_a_choice_is_never_from_the_future_and_never_goes_back(
    pushes: list[tuple[int, int]], ticks: list[int]
) -> None:
    aligner = Aligner(["a"])
    before = None
    todo = iter(pushes)
    for t_ns in sorted(ticks):
        for captured, sequence in [push for push, _ in zip(todo, range(10), strict=False)]:
            aligner.push("a", sample(captured, sequence))
        for chosen in aligner.choose(t_ns).chosen:
            assert chosen.captured_at_ns <= t_ns
            assert chosen.age_ns == t_ns - chosen.captured_at_ns
            assert before is None or chosen.captured_at_ns >= before
            before = chosen.captured_at_ns
        assert len(aligner.kept()) <= DEPTH


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_the_choice_is_the_maximum_of_what_came_in_rising_order(captured: list[int]) -> None:
    aligner = Aligner(["a"])
    rising: list[int] = []
    for sequence, t in enumerate(captured):
        taken = aligner.push("a", sample(t, sequence))
        assert taken == (not rising or t > rising[-1])
        if taken:
            rising.append(t)
    kept = rising[-DEPTH:]
    at = kept[len(kept) // 2]
    assert aligner.choose(at).chosen[0].captured_at_ns == at
