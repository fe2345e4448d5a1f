"""Which episodes a trainer is given: each one is either taken or named among those left out, and a choice is never assumed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.episodes.catalogue import Episode, named
from station.episodes.intake import ALL, CAUSES, LABELS, Intake, asked_for, causes_of, groups, label_of
from station.errors import UsageError
from station.terminal.shown import ranges


def episode(
    number: int = 0, success: bool | None = None, recovered: bool = False, ended: str = "", damage: str = "", policy: str = "",
    folder: str = "cube",
) -> Episode:  # fmt: skip
    path = Path(folder) / f"episode_{number}.hdf5"
    return Episode(path, folder, number, 9, 0.18, success, "", "", 0, 0, 0, recovered, ended, damage, 1, "", policy)


EPISODES = st.builds(
    episode, st.integers(0, 99), st.sampled_from([None, True, False]), st.booleans(), st.sampled_from(["", "held"]),
    st.sampled_from(["", "torn"]), st.sampled_from(["", "act"]),
)  # fmt: skip


@given(st.lists(EPISODES), st.sets(st.sampled_from([*LABELS, *CAUSES]), min_size=1))
def test_what_is_not_taken_is_in_a_group_of_its_own(found: list[Episode], words: set[str]) -> None:
    try:
        intake = asked_for(None, [",".join(words)])
    except UsageError:
        assert not words & set(LABELS)
        return
    assert intake is not None
    taken = [each for each in found if intake.takes(each)]
    left = [each for group in groups(each for each in found if not intake.takes(each)).values() for each in group]
    assert len(taken) + len(left) == len(found)
    assert all({label_of(each), *causes_of(each)} <= words for each in taken)
    assert not [each for each in left if {label_of(each), *causes_of(each)} <= words]


@given(EPISODES)
def test_a_verdict_alone_takes_whatever_has_it_and_all_takes_everything(each: Episode) -> None:
    for said in (True, False):
        intake = asked_for(said, [])
        assert intake is not None and intake.takes(each) == (each.success is said)
    everything = asked_for(None, [ALL])
    assert everything is not None and everything.takes(each)


def test_a_recovered_one_did_not_end_early_too() -> None:
    assert causes_of(episode(recovered=True, ended="cut off")) == ("recovered",)
    assert causes_of(episode(recovered=True, ended="x", damage="y", policy="act")) == (
        "recovered",
        "damaged",
        "rollout",
    )
    assert causes_of(episode(ended="held")) == ("early",)


def test_nothing_asked_for_is_no_choice() -> None:
    assert asked_for(None, []) is None
    assert asked_for(None, [" , "]) is None
    assert asked_for(None, ["success", "failure, early"]) == Intake(
        frozenset({"success", "failure"}), frozenset({"early"})
    )
    for success, include, words in ((True, ["all"], "leave --success"), (None, ["succes"], "no label and no cause"),
                                    (None, ["recovered"], "names no label")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            asked_for(success, include)


@given(st.sets(st.integers(0, 60)))
def test_ranges_say_every_number_once(numbers: set[int]) -> None:
    told: list[int] = []
    for part in ranges(sorted(numbers)).split(", "):
        ends = [int(end) for end in part.split("–") if end]
        told += range(ends[0], ends[-1] + 1) if ends else []
    assert told == sorted(numbers)


def test_named_by_folder() -> None:
    assert named([episode(n) for n in (1, 2, 3, 7)] + [episode(0, folder="fold")]) == "cube 1–3, 7; fold 0"
    assert list(groups([episode(success=False), episode(success=True, recovered=True), episode(success=True)])) == [
        "success", "success, recovered", "failure",
    ]  # fmt: skip
