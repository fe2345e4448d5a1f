from station.clock import NS_PER_S
from station.runtime.backoff import STEADY_NS, WAITS_S, Backoff


def waits_s(backoff: Backoff, *well_for_ns: int | None) -> list[float]:
    """A process started as soon as it may, well for so long each time (None: never); how long it then has to wait."""
    now_ns, found = 0, []
    for well_ns in well_for_ns:
        now_ns = max(now_ns, backoff.due_ns) + 2 * NS_PER_S  # starting takes its time
        if well_ns is not None:
            backoff.well(now_ns)
            now_ns += well_ns
            backoff.well(now_ns)  # it goes on saying so
        backoff.ended(now_ns)
        found.append((backoff.due_ns - now_ns) / NS_PER_S)
    return found


def test_who_never_gets_well_waits_longer_and_longer() -> None:
    assert waits_s(Backoff(), *[None] * 8) == [*WAITS_S[1:], WAITS_S[-1], WAITS_S[-1]]


def test_who_falls_over_at_once_after_getting_well_waits_too() -> None:
    assert waits_s(Backoff(), *[STEADY_NS] * 3) == [0.0, 0.25, 0.5]


def test_who_was_killed_while_it_worked_is_back_at_once_however_often() -> None:
    assert waits_s(Backoff(), *[STEADY_NS + 1] * 9) == [0.0] * 9


def test_a_steady_life_makes_up_for_what_was_before() -> None:
    assert waits_s(Backoff(), None, None, None, STEADY_NS + 1, None) == [0.0, 0.25, 0.5, 0.0, 0.0]
