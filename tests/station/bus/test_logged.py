"""What a log has of a request."""

from station.bus.requests import LoadPolicy, OpenSession, Start
from station.bus.requests.logged import logged


def test_of_a_policy_that_is_judged_blind_nothing_names_it() -> None:
    sitting = OpenSession(
        "trials",
        "/out",
        "ada",
        "hand it over",
        source="policy",
        policy="act /p/mine",
        policy_folder="/p/mine",
        blind=True,
    )
    for request in (sitting, LoadPolicy("/p/mine", "hand it over", blind=True)):
        words = logged(request)
        assert "mine" not in words and "hand it over" not in words and "act" not in words, words
    assert "'trials', data='/out', operator='ada'" in logged(sitting).replace("task=", "")


def test_of_all_others_all_is_said() -> None:
    for request in (LoadPolicy("/p/mine"), OpenSession("pick", policy="act /p/mine"), Start(2.0)):
        assert logged(request) == str(request)
