"""Each question is answered once, whatever happens to it in whatever order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from station.bus.pending import PendingRequests, Unanswered, as_reply
from station.bus.requests import Done, EndRecording, Engage, Hold, Refused
from station.bus.requests.time_outs import time_out_ns


def test_a_silent_node_is_an_answer_and_the_late_one_finds_nobody() -> None:
    pending: PendingRequests[int] = PendingRequests("pilot")
    outcomes: list[Any] = []
    pending.add(1, Hold("x"), outcomes.append, 1000)
    pending.time(1000 + time_out_ns(Hold("x")))
    assert (outcomes, len(pending)) == ([], 1)
    pending.time(1001 + time_out_ns(Hold("x")))
    (outcome,) = outcomes
    assert isinstance(outcome, Unanswered)
    assert "pilot did not answer Hold in time. Next: `station status`" in outcome.why
    pending.answered(1, Done())
    assert (len(outcomes), len(pending)) == (1, 0)
    assert as_reply(outcome) == Refused(outcome.why)


def test_another_life_answers_nothing_that_the_last_one_was_asked() -> None:
    pending: PendingRequests[int] = PendingRequests("synchronizer")
    outcomes: list[Any] = []
    assert not pending.heard(7)
    pending.add(1, EndRecording(), outcomes.append, 0)
    assert not pending.heard(7)
    assert pending.heard(8)
    assert isinstance(outcomes.pop(), Unanswered)
    assert not pending.asks(EndRecording)


def test_who_is_gone_hears_nothing() -> None:
    pending: PendingRequests[int] = PendingRequests("pilot")
    gone, there = object(), object()
    outcomes: list[Any] = []
    pending.add(1, Engage("leader"), outcomes.append, 0, gone)
    pending.add(2, Engage("leader"), outcomes.append, 0, there)
    pending.forget(gone)
    pending.answered(1, Done("to nobody"))
    pending.answered(2, Done("to somebody"))
    assert outcomes == [Done("to somebody")]


def test_an_outcome_may_ask_again_and_forget_others() -> None:
    pending: PendingRequests[int] = PendingRequests("pilot")
    outcomes: list[Any] = []
    owner = object()

    def again(outcome: Any) -> None:
        outcomes.append(outcome)
        pending.forget(owner)
        pending.add(3, Hold("again"), outcomes.append, 10**12)

    pending.add(1, Hold("x"), again, 0)
    pending.add(2, Hold("y"), outcomes.append, 0, owner)
    pending.time(10**12)
    assert (len(outcomes), pending.asks(Hold), len(pending)) == (1, True, 1)


EVENT = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 5)),
    st.tuples(st.just("answer"), st.integers(0, 40)),
    st.tuples(st.just("time"), st.integers(0, 8 * 10**9)),
    st.tuples(st.just("life"), st.integers(1, 2)),
    st.tuples(st.just("forget"), st.integers(0, 5)),
)


@given(st.lists(EVENT, max_size=60))
def test_each_question_is_answered_once_or_forgotten(events: list[tuple[str, int]]) -> None:
    pending: PendingRequests[int] = PendingRequests("pilot")
    owners = [object() for _ in range(6)]
    outcomes: dict[int, list[Any]] = {}
    forgotten: set[int] = set()
    owned: dict[int, int] = {}
    now_ns = 0
    for what, value in events:
        if what == "ask":
            number = len(outcomes)
            outcomes[number], owned[number] = [], value
            pending.add(number, Hold("x"), outcomes[number].append, now_ns, owners[value])
        elif what == "answer":
            pending.answered(value, Done())
        elif what == "time":
            now_ns += value
            pending.time(now_ns)
        elif what == "life":
            pending.heard(value)
        else:
            forgotten |= {n for n, owner in owned.items() if owner == value and not outcomes[n]}
            pending.forget(owners[value])
        assert all(len(outcomes[n]) <= 1 and not (n in forgotten and outcomes[n]) for n in outcomes)
    pending.time(now_ns + 10**11)
    assert all(len(outcomes[n]) == 1 for n in outcomes if n not in forgotten)
    assert len(pending) == 0
