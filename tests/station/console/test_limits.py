"""How much pages get, and may ask."""

from hypothesis import given
from hypothesis import strategies as st

from station.clock import NS_PER_S
from station.console.limits import AHEAD_S, HOLD_AGAIN_NS, MESSAGES_PER_S, SHOWN_BYTES_PER_S, Holds, Rate, Reading
from station.console.pace import BYTES_PER_S, LEAST_FPS, Wish, paces

WISHES = st.dictionaries(
    st.integers(0, 9), st.builds(Wish, st.floats(1, 15), st.floats(0, 2e6), st.booleans()), max_size=8
)  # fmt: skip


@given(WISHES)
def test_nobody_gets_more_than_it_wants_and_all_together_fit(wishes: dict[int, Wish]) -> None:
    found = paces(wishes)
    assert found.keys() == wishes.keys()
    least = sum(LEAST_FPS * wish.bytes_a_picture for wish in wishes.values())
    together = sum(found[key] * wish.bytes_a_picture for key, wish in wishes.items())
    assert together <= max(BYTES_PER_S, 0) * 1.001 + least
    for key, wish in wishes.items():
        assert LEAST_FPS <= found[key] <= wish.fps


def test_the_holder_is_the_last_to_get_less() -> None:
    four = 4 * 69_000.0
    wishes = {n: Wish(10, four, n == 3) for n in range(6)}
    found = paces(wishes)
    assert found[3] == 10
    assert all(1 <= found[n] < 10 for n in wishes if n != 3)


def test_a_page_may_say_so_much_a_second_and_again_the_next() -> None:
    rate = Rate()
    assert all(rate.passes(5) for _ in range(MESSAGES_PER_S))
    assert not rate.passes(6)
    assert rate.passes(6 + NS_PER_S)


def test_a_viewer_holds_the_arms_at_once_and_then_not_for_a_while() -> None:
    holds = Holds()
    assert holds.wait_s("a", 100) == 0
    assert holds.wait_s("a", 100 + NS_PER_S) == HOLD_AGAIN_NS / NS_PER_S - 1
    assert holds.wait_s("b", 100 + NS_PER_S) == 0
    assert holds.wait_s("a", 100 + HOLD_AGAIN_NS) == 0


def test_what_is_read_for_players_takes_turns_and_less_while_recording() -> None:
    reading = Reading()
    assert reading.wait_s(10_000_000, False, 0) == 0
    assert reading.wait_s(1, False, 0) == 0.5 - AHEAD_S, "ten megabytes before it"
    assert reading.wait_s(1, False, 10**9) == 0
    assert (
        reading.wait_s(int(SHOWN_BYTES_PER_S * AHEAD_S), False, 2 * 10**9) == 0 == reading.wait_s(1, False, 2 * 10**9)
    ), "a jump"
    assert Reading().wait_s(4_000_000, True, 0) == 0
    slow = Reading()
    slow.wait_s(4_000_000, True, 0)
    assert slow.wait_s(1, True, 0) == 1.0 - AHEAD_S
