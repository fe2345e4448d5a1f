import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import NS_PER_S
from station.web.attempts import FREE, LONGEST_WAIT_NS, MOST_PEERS, MOST_WAIT_NS, Attempts, TooMany

WEEK_NS = 7 * 24 * 3600 * NS_PER_S


def guess(attempts: Attempts, address: str, now_ns: int) -> int:
    now_ns += attempts.wait_ns(address, now_ns)
    attempts.failed(address, now_ns)
    return now_ns


def test_a_few_slips_cost_nothing() -> None:
    attempts = Attempts()
    for _ in range(FREE):
        assert guess(attempts, "10.0.0.1", 5) == 5
    assert attempts.wait_ns("10.0.0.1", 5) > 0
    assert attempts.wait_ns("10.0.0.2", 5) == 0


def test_a_million_codes_of_one_address_take_weeks() -> None:
    attempts, now_ns = Attempts(), 0
    for _ in range(1000):
        now_ns = guess(attempts, "10.0.0.1", now_ns)
    assert now_ns * 1000 > 2 * WEEK_NS
    attempts, now_ns = Attempts(), 0
    for _ in range(1000):
        now_ns = guess(attempts, "127.0.0.1", now_ns)
    assert now_ns * 1000 > 2 * WEEK_NS


def test_a_thousand_addresses_are_hardly_quicker() -> None:
    attempts, now_ns, read = Attempts(), 0, 0
    for number in range(2000):
        address = f"10.0.{number % 250}.{number // 250}"
        try:
            wait_ns = attempts.wait_ns(address, now_ns)
        except TooMany:
            now_ns += NS_PER_S
            continue
        read += 1
        attempts.failed(address, now_ns + wait_ns)
    assert now_ns * 1_000_000 / read > WEEK_NS
    assert attempts.wait_ns("127.0.0.1", now_ns) == 0, "whoever sits at this computer waits for nobody"


def test_when_the_queue_is_full_it_is_said_how_long_to_wait() -> None:
    attempts = Attempts()
    for _ in range(20):
        attempts.failed("10.0.0.1", 0)
    with pytest.raises(TooMany, match=r"wait \d+ s") as error:
        for _ in range(20):
            attempts.wait_ns("10.0.0.1", 0)
    assert attempts.wait_ns("10.0.0.1", error.value.wait_ns) <= MOST_WAIT_NS


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5 * NS_PER_S)), max_size=200))
def test_nobody_waits_longer_than_is_said_and_nobody_is_banned(tries: list[tuple[int, int]]) -> None:
    attempts, now_ns = Attempts(), 0
    for address, later_ns in tries:
        now_ns += later_ns
        try:
            wait_ns = attempts.wait_ns(f"10.0.0.{address}", now_ns)
        except TooMany as error:
            wait_ns = error.wait_ns
        assert wait_ns <= MOST_WAIT_NS + LONGEST_WAIT_NS
        attempts.failed(f"10.0.0.{address}", now_ns)


def test_wrong_codes_are_forgotten_after_a_while_and_so_are_addresses() -> None:
    attempts = Attempts()
    for _ in range(50):
        attempts.failed("10.0.0.1", 0)
    assert attempts.wait_ns("10.0.0.1", 3600 * NS_PER_S) == 0
    assert attempts.wait_ns("10.0.0.1", 3600 * NS_PER_S) == 0
    for number in range(3 * MOST_PEERS):
        attempts.failed(f"10.{number >> 8}.{number & 255}.1", 0)
    assert len(attempts._peers) == MOST_PEERS
