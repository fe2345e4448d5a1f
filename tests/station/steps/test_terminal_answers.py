"""Answers at a terminal: one of a few words, its beginning, Enter alone, a name that is typed; and those that are none."""

import os
from collections.abc import Callable

import pytest

from station.steps.job import Job
from station.steps.protocol import Step
from station.steps.terminal import show
from tests.station.steps.conftest import CHOOSES

NAME = """
    from station.steps.protocol import Typed
    name = Typed("[a-z]+", "only a–z")
    speaker.tell("said: " + speaker.ask("its name", ("skip",), typed=name, suggested=SUGGESTED))
"""


def test_a_choice_is_asked_again_until_it_is_one(
    job: Callable[[str], Job],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"perhaps\n no \n")
    os.close(writing)
    with open(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with job(CHOOSES) as running:
            assert show(running) == 0
    out = capfd.readouterr().out
    assert out.count("did it succeed? [yes/no]: ") == 2
    assert "said: no" in out


@pytest.mark.parametrize(
    ("typed", "said"),
    [(b"\n", ["go on"]), (b"s\n", ["skip"]), (b"skip\n", ["skip"]), (b"no\n\n", ["go on"])],
)
def test_enter_goes_on_where_there_is_another_way_too(
    job: Callable[[str], Job],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    typed: bytes,
    said: list[str],
) -> None:
    out = _typed(job, monkeypatch, capfd, typed, ("go on", "skip"))
    assert ". Then press Enter (or type skip): " in out
    assert [told.strip() for told in out.split("said: ")[1:]] == said


def test_as_much_of_an_answer_will_do_as_is_no_others_beginning(
    job: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = _typed(job, monkeypatch, capfd, b"a\nag\n", ("as asked", "again"))
    assert out.count("[as asked/again]: ") == 2
    assert "said: again" in out


@pytest.mark.parametrize(
    ("suggested", "typed", "shown"),
    [
        ("arm", b"\n", "its name [arm]: said: arm"),
        ("arm", b"leg\n", "its name [arm]: said: leg"),
        ("arm", b"sk\n", "its name [arm]: said: sk"),
        ("arm", b" skip \n", "its name [arm]: said: skip"),
        ("", b"\nLEG\nleg\n", "its name: its name: 'LEG': only a–z\nits name: said: leg"),
    ],
)
def test_a_name_is_typed_or_taken_as_it_is_suggested(
    job: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    suggested: str, typed: bytes, shown: str,
) -> None:  # fmt: skip
    body = NAME.replace("SUGGESTED", repr(suggested))
    assert _shown(job, monkeypatch, capfd, typed, body) == f"{shown}\n"


def test_enter_gives_the_suggested_one_of_a_few_too(
    job: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = _shown(job, monkeypatch, capfd, b"boss\n\n", """
        speaker.tell("said: " + speaker.ask("which", ("leader", "follower"), suggested="follower"))
    """)  # fmt: skip
    assert out.startswith("which [follower]: 'boss': leader, follower\nwhich [follower]: ") and out.endswith(
        "said: follower\n"
    )


def _typed(
    job: Callable[[str], Job],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    typed: bytes,
    answers: tuple[str, ...],
) -> str:
    """What a terminal shows of a job that asks once, when that is typed."""
    return _shown(job, monkeypatch, capfd, typed, f"""
        speaker.tell("said: " + speaker.ask("what now", {answers!r}))
    """)  # fmt: skip


def _shown(
    job: Callable[[str], Job],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    typed: bytes,
    body: str,
) -> str:
    """What a terminal shows of a job, when that is typed."""
    reading, writing = os.pipe()
    os.write(writing, typed)
    os.close(writing)
    with open(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with job(body) as running:
            assert show(running) == 0
    return str(capfd.readouterr().out)


def test_an_answer_that_a_step_does_not_allow_is_the_clients_mistake(
    job: Callable[[str], Job],
) -> None:
    with job(CHOOSES) as running:
        step = next(line for line in running.lines() if isinstance(line, Step))
        with pytest.raises(ValueError, match="'perhaps' is none of yes, no"):
            running.answer(step, "perhaps")
    with job(NAME.replace("SUGGESTED", "''")) as running:
        step = next(line for line in running.lines() if isinstance(line, Step))
        with pytest.raises(ValueError, match="'B' is none of skip, only a–z"):
            running.answer(step, "B")
