from hypothesis import given
from hypothesis import strategies as st

from station.borders.stamps import AHEAD_NS, OLDEST_NS, TOLD_NS, Stamps, unbelievable
from station.clock import NS_PER_MS, NS_PER_S

NOW_NS = 5000 * NS_PER_S
ANY = st.integers(-(2**64), 2**64)


@given(ANY, st.integers(0, 2**62))
def test_what_is_believed_lies_near_now_and_in_an_int64(stamp_ns: int, now_ns: int) -> None:
    believed = unbelievable(stamp_ns, now_ns) == ""
    assert believed == (max(0, now_ns - OLDEST_NS) <= stamp_ns <= now_ns + AHEAD_NS)
    assert not believed or stamp_ns < 2**63


@given(st.lists(ANY, max_size=50))
def test_every_bad_one_is_counted_and_named(stamps_ns: list[int]) -> None:
    stamps = Stamps()
    bad = sum(bool(stamps.refuse("arm_state", NOW_NS, stamp)) for stamp in stamps_ns)
    assert stamps.count == bad == sum(bool(unbelievable(stamp, NOW_NS)) for stamp in stamps_ns)
    assert bool(stamps.warnings(NOW_NS)) == bool(bad)
    assert all(told.startswith("arm_state: a sample was dropped") for told in stamps.warnings(NOW_NS))
    assert stamps.warnings(NOW_NS + TOLD_NS) == ()


def test_it_says_what_is_wrong_in_seconds() -> None:
    assert unbelievable(NOW_NS + 1000 * NS_PER_S, NOW_NS) == "its stamp is 1e+03 s ahead of the clock"
    assert unbelievable(-1, NOW_NS) == "its stamp is -1 ns, before the clock began"
    assert unbelievable(NOW_NS + 20 * NS_PER_MS, NOW_NS) == ""


def test_one_of_several_stamps_is_enough() -> None:
    assert "ahead" in Stamps().refuse("command/policy", NOW_NS, NOW_NS, NOW_NS + NS_PER_S)
