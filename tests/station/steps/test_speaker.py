"""A job's side of the lines: what it tells and asks, and whose answers count."""

import os
import threading
from collections.abc import Iterator

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from station.steps import protocol
from station.steps.protocol import DOCUMENT, Answer, End, Look, Offer, Step, Typed
from station.steps.speaker import Speaker

words = st.text(max_size=40)
steps = st.builds(
    Step, st.integers(1, 10**6), words, st.lists(words, max_size=3).map(tuple), words,
    st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False, width=32) | words, max_size=3), st.none() | st.floats(0, 1),
    st.none() | st.builds(Typed, st.just("[a-z]+"), words), words,
)  # fmt: skip


class Ends:
    """Both ends of a job's two pipes."""

    def __init__(self) -> None:
        self.steps, out = os.pipe()
        answers, self.answers = os.pipe()
        self.out, self.hears = out, answers
        self.speaker = Speaker(out, answers)

    def lines(self) -> list[protocol.Line]:
        """What was said since the last look."""
        return [protocol.line(raw) for raw in os.read(self.steps, 1 << 20).splitlines()]

    def close(self) -> None:
        for end in (self.steps, self.answers, self.out, self.hears):
            try:
                os.close(end)
            except OSError:  # closed in the test
                continue


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


@given(
    steps
    | st.builds(End, st.integers(0, 2), words)
    | st.builds(Offer, st.integers(1, 10**6), st.lists(words, max_size=3).map(tuple))
)
def test_a_line_comes_back_as_it_was_and_is_one_line(line: protocol.Line) -> None:
    raw = protocol.encode(line)
    assert raw.count(b"\n") == 1
    assert protocol.line(raw) == line


@given(st.binary(max_size=60))
def test_what_is_no_line_is_refused_as_one(raw: bytes) -> None:
    for decode in (protocol.line, protocol.answer):
        try:
            decode(raw)
        except ValueError:
            continue


def test_steps_are_numbered_and_carry_picture_values_and_progress(ends: Ends) -> None:
    ends.speaker.tell("listening", 0.5)
    ends.speaker.tell("found", values={"waist_rad": 0.1, "verdict": "pass"}, picture=b"\xff\xd8\xff")
    ends.speaker.end(1, "follower_left is silent")
    assert ends.lines() == [
        Step(1, "listening", progress=0.5),
        Step(2, "found", picture="/9j/", values={"waist_rad": 0.1, "verdict": "pass"}),
        End(1, "follower_left is silent"),
    ]


def test_what_is_seen_is_said_to_whoever_shows_pictures_and_to_nobody_else(ends: Ends) -> None:
    ends.speaker.look("the board is seen", {"corners": 24}, b"\xff\xd8\xff")
    ends.speaker.looks = True
    ends.speaker.look("torque is off", {"waist_deg": 1.5})
    ends.speaker.look("", picture=b"\xff\xd8\xff")
    ends.speaker.end(0)
    assert ends.lines() == [Look("torque is off", values={"waist_deg": 1.5}), Look("", "/9j/"), End(0)]


def test_it_waits_for_an_answer_that_it_allows_to_this_very_step_and_takes_in_what_flows(ends: Ends) -> None:
    calls, asked = threading.Semaphore(0), threading.Event()
    os.write(ends.answers, protocol.encode(Answer(7, "yes")))
    given = (Answer(1, "perhaps"), Answer(2, "yes"), Answer(1, "yes"))

    def answer() -> None:
        for _ in range(3):
            calls.acquire()
        asked.set()
        raw = b"no json\n" + b"".join(map(protocol.encode, given))
        os.write(ends.answers, raw[:20])
        os.write(ends.answers, raw[20:])

    answering = threading.Thread(target=answer)
    answering.start()
    assert ends.speaker.ask("is it so?", ("yes", "no"), calls.release) == "yes"
    assert asked.is_set(), "what was answered before it was asked answers nothing"
    answering.join()
    assert ends.lines() == [Step(1, "is it so?", ("yes", "no"))]


def test_what_is_typed_answers_where_it_fits_and_fixed_answers_do_beside_it(ends: Ends) -> None:
    name = Typed("[a-z][a-z0-9_]{0,23}", "a–z, 0–9 and _")
    for said in ("cam_high", "skip"):

        def answer(said: str = said) -> None:
            number = ends.speaker._number
            wrong = ("Cam", "cam_high\n", "../cam", "a" * 25, "")
            give(ends, *(Answer(number, each) for each in wrong), Answer(number - 1, said), Answer(number, said))

        assert ends.speaker.ask("its name", ("skip",), answer, typed=name, suggested="cam_low") == said
    assert ends.lines() == [Step(n, "its name", ("skip",), typed=name, suggested="cam_low") for n in (1, 2)]


def give(ends: Ends, *given: Answer) -> None:
    os.write(ends.answers, b"".join(map(protocol.encode, given)))


def test_what_is_offered_may_be_given_at_any_time_and_as_often_as_one_likes(ends: Ends) -> None:
    assert ends.speaker.given() == []
    ends.speaker.offer("hold", "take over")
    give(ends, Answer(1, "hold"), Answer(1, "success"), Answer(0, "hold"), Answer(1, "take over"), Answer(1, "hold"))
    ends.speaker.tell("trial 1")
    assert ends.speaker.given() == ["hold", "take over", "hold"]
    assert ends.speaker.given() == []
    ends.speaker.offer("take over", "hold")
    ends.speaker.offer("hold", "take over", about="trial 2")
    ends.speaker.offer()
    give(ends, Answer(1, "hold"))
    assert ends.speaker.given() == []
    about_2 = Offer(3, ("hold", "take over"), "trial 2")
    assert ends.lines() == [Offer(1, ("hold", "take over")), Step(2, "trial 1"), about_2, Offer(4, ())], (
        "what is offered is told once"
    )


def test_an_answer_under_way_while_the_offer_changes_counts_where_it_means_the_same(ends: Ends) -> None:
    ends.speaker.offer("hold", "success")
    ends.speaker.offer("hold")
    ends.speaker.offer("hold", "success")
    give(ends, Answer(1, "hold"), Answer(1, "success"), Answer(3, "success"))
    assert ends.speaker.given() == ["hold", "success"], "the success of the trial before is none of this one"


def test_what_nobody_looked_at_before_it_was_taken_back_is_gone(ends: Ends) -> None:
    ends.speaker.offer("hold", "success")
    give(ends, Answer(1, "success"), Answer(1, "hold"))
    ends.speaker._take_in()
    ends.speaker.offer("hold")
    ends.speaker.offer("hold", "success")
    assert ends.speaker.given() == ["hold"]


def test_a_question_takes_what_is_offered_too_and_the_rest_is_still_given(ends: Ends) -> None:
    given: list[str] = []
    ends.speaker.offer("hold", "success", "failure")
    give(ends, Answer(1, "hold"))

    def meanwhile() -> None:
        given.extend(ends.speaker.given())
        give(ends, Answer(1, "hold"), Answer(1, "success"))

    assert ends.speaker.ask("how did it go?", ("success", "failure"), meanwhile) == "success"
    assert [*given, *ends.speaker.given()] == ["hold", "hold"]


def test_where_nobody_is_there_any_more_it_is_said_once_and_the_end_needs_no_listener(ends: Ends) -> None:
    ends.speaker.offer("hold")
    os.close(ends.answers)
    with pytest.raises(typer.Abort):
        ends.speaker.given()
    assert ends.speaker.given() == []
    with pytest.raises(typer.Abort):
        ends.speaker.ask("are you there?")
    os.close(ends.steps)
    with pytest.raises(typer.Abort):
        ends.speaker.tell("ending")
    ends.speaker.tell("the arms hold")
    ends.speaker.end(1)


def test_a_document_is_a_value(ends: Ends) -> None:
    ends.speaker.document(End(2, "as a struct"))
    (step,) = ends.lines()
    assert isinstance(step, Step) and '"code": 2' in str(step.values[DOCUMENT])


def test_where_nobody_answers_any_more_it_is_over(ends: Ends) -> None:
    os.close(ends.answers)
    with pytest.raises(typer.Abort):
        ends.speaker.ask("are you there?")
