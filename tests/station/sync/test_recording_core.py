"""The recorder: whatever comes in whatever order, each request is answered once, and what is opened is closed with whole rows."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from station.bus.messages import SCHEMA, Header, Health, Message
from station.bus.messages.commanding import Doer
from station.bus.messages.endings import Ending, EndReason
from station.bus.requests import BeginRecording, Done, EndRecording, KeepHold, RecordingInfo, Refused
from station.bus.wire import Sample
from station.clock import NS_PER_S
from station.sync import recording_core
from station.sync.effects import JournalClosed, JournalFlushed
from station.sync.recording_core import TRANSITIONS, RecordingCore
from tests.station.sync.desk import ALIGNING, HOLDING, Desk, gate


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.all_speak()
    made.turn(6)
    return made


def ended(desk: Desk) -> Ending | None:
    desk.turn(6)
    assert desk.recorder is not None
    return desk.recorder.ended


def test_exactly_the_rows_that_were_wanted(desk: Desk) -> None:
    begin = desk.begin(0, 25)
    desk.turn(40)
    assert desk.answers[begin] == [Done()]
    assert [row.row for row in desk.journal.rows] == list(range(25))
    assert ended(desk) == Ending(EndReason.COMPLETE)
    assert desk.journal.closing is not None
    assert desk.journal.closing.cause == "", "what a file says of an end on purpose"


def test_a_wish_waits_for_every_stream_and_is_refused_by_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.all_speak()
    del desk.speaking["frame", "cam"]
    begin = desk.begin()
    desk.turn(140)
    assert desk.answers[begin] == []
    desk.turn(15)
    (refused,) = desk.answers[begin]
    assert isinstance(refused, Refused)
    assert "no sample yet from cam; recording needs one of every stream" in refused.why
    assert desk.journals == []


def test_a_wish_waits_for_the_journal_before(desk: Desk) -> None:
    desk.begin(0)
    desk.turn(5)
    desk.opens_by_itself = False
    first = desk.ask(EndRecording())
    second = desk.begin(1)
    desk.turn(3)
    assert (desk.answers[first], desk.answers[second]) == ([], [])
    desk.opens_by_itself = True
    desk.turn(3)
    assert desk.answers[second] == [Done()]
    assert str(desk.journal.path).endswith("episode_1.mcap.part")


@pytest.mark.parametrize("ends_first", [True, False])
def test_an_end_before_the_journal_is_open_closes_it(desk: Desk, ends_first: bool) -> None:
    desk.opens_by_itself = False
    begin = desk.begin()
    end = desk.ask(EndRecording(path=str(desk.path(0))))
    if not ends_first:
        desk.journal_opens()  # its news was on its way
    desk.journal.close()
    desk.hear(JournalClosed())
    assert (desk.answers[begin], desk.answers[end]) == ([Done()], [Done("0 rows")])
    assert desk.journal.rows == []
    desk.opens_by_itself = True
    assert desk.answers[desk.begin(1)] == []
    desk.turn(3)
    assert desk.core.recording.state == "rows"


def test_the_first_end_counts_and_both_who_asked_are_answered(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    desk.opens_by_itself = False
    first = desk.ask(EndRecording(Ending(EndReason.DISCARDED)))
    second = desk.ask(EndRecording(Ending(EndReason.STOPPED)))
    assert (desk.answers[first], desk.answers[second]) == ([], [])
    desk.settle_journal()
    assert desk.answers[first] == desk.answers[second]
    assert isinstance(desk.answers[first][0], Done)
    assert ended(desk) == Ending(EndReason.DISCARDED)


def test_an_end_while_it_waits_for_a_stream_takes_the_wish_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    begin, end = desk.begin(), desk.ask(EndRecording(path=str(desk.path(0))))
    assert (desk.answers[begin], desk.answers[end]) == ([Refused("it was ended before it began")], [Done("0 rows")])
    desk.all_speak()
    desk.turn(10)
    assert desk.journals == []


def test_two_begins_are_one_and_a_refusal(desk: Desk) -> None:
    first, second = desk.begin(0), desk.begin(1)
    desk.turn(2)
    assert desk.answers[first] == [Done()]
    assert desk.answers[second] == [Refused(f"{desk.path(0)} is being recorded. Next: stop it first")]


def test_an_end_of_another_recording_ends_nothing(desk: Desk) -> None:
    assert isinstance(desk.answers[desk.ask(EndRecording())][0], Refused), "nothing was ever recorded in this life"
    desk.begin(1)
    desk.turn(3)
    (late,) = desk.answers[desk.ask(EndRecording(path=str(desk.path(0))))]
    assert late == Refused(f"{desk.path(0)} is not being recorded")
    desk.turn(3)
    assert desk.core.recording.state == "rows"


def test_a_journal_that_cannot_be_created_is_a_refusal_and_the_next_one_may_begin(desk: Desk) -> None:
    desk.opens_by_itself = False
    begin = desk.begin()
    desk.journal_fails("episode_0: no space left")
    assert desk.answers[begin] == [Refused("episode_0: no space left")]
    assert "no space left" in desk.health().error
    desk.journal.close()
    desk.hear(JournalClosed())
    assert ended(desk) == Ending(EndReason.JOURNAL_FAILED, "episode_0: no space left")
    desk.opens_by_itself = True
    again = desk.begin(1)
    desk.turn(3)
    assert desk.answers[again] == [Done()]
    assert desk.health().error == ""


def test_a_disk_that_fails_ends_the_episode_at_its_last_flushed_row(desk: Desk) -> None:
    desk.begin()
    desk.turn(8)
    desk.opens_by_itself = False
    desk.hear(JournalFlushed(4, 1000))
    desk.journal_fails("the disk does not keep up")
    desk.journal.close()
    desk.hear(JournalClosed("the disk does not keep up"))
    assert ended(desk) == Ending(EndReason.JOURNAL_FAILED, "the disk does not keep up")
    assert desk.recorder is not None
    assert desk.recorder.recorded_ticks == 4


def test_a_silent_arm_ends_it_and_its_driver_says_why(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    del desk.speaking["arm_state", "follower_left"]
    desk.sample("health", "follower_left", Health("follower_left", "fault", "follower_left: no servo answers"))
    desk.turn(40)
    ending = ended(desk)
    assert ending is not None
    assert ending.reason is EndReason.SILENT_DEVICE
    assert ending.sentence == "follower_left silent for 0.5 s; follower_left: no servo answers"
    assert [row.row for row in desk.journal.rows] == list(range(len(desk.journal.rows)))


def test_a_silent_headset_ends_nothing(desk: Desk) -> None:
    desk.speak("hand_pose", "vr")
    desk.turn(1)
    desk.begin()
    desk.turn(5)
    del desk.speaking["hand_pose", "vr"]
    desk.turn(100)
    assert desk.core.recording.state == "rows"


def test_a_hold_ends_it_unless_the_operator_keeps_it(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    assert desk.answers[desk.ask(KeepHold(True))] == [Done()]
    desk.pilot = HOLDING
    desk.turn(10)
    assert desk.journal.rows[-1].source == "hold"
    desk.ask(KeepHold(False))
    desk.turn(2)
    assert ended(desk) == Ending(EndReason.HOLD, "follower_left diverged")
    rows = len(desk.journal.rows)
    desk.turn(5)
    assert len(desk.journal.rows) == rows


def test_a_gates_hold_waits_a_moment_for_the_pilots_cause(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    gate(desk, "near overload", hold=True)
    desk.turn(1)
    assert desk.core.recording.state == "rows"
    desk.pilot = HOLDING
    assert ended(desk) == Ending(EndReason.HOLD, "follower_left diverged")


def test_a_gates_hold_that_nobody_explains_is_told_in_its_own_words(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    gate(desk, "near overload", hold=True)
    assert ended(desk) == Ending(EndReason.HOLD, "follower_left near overload")


@pytest.mark.parametrize("doer", ["station", "source", "operator"])
def test_whose_doing_the_hold_is_goes_with_the_episodes_end(desk: Desk, doer: Doer) -> None:
    desk.begin()
    desk.turn(5)
    desk.pilot = msgspec.structs.replace(HOLDING, held_by=doer)
    assert ended(desk) == Ending(EndReason.HOLD, "follower_left diverged", doer)


def test_a_hand_over_ends_nothing(desk: Desk) -> None:
    desk.begin()
    desk.turn(5)
    desk.pilot = ALIGNING
    gate(desk, "hand-over to policy", hold=True)
    desk.turn(20)
    assert desk.core.recording.state == "rows"


def test_the_runners_health_is_kept_in_the_episode(desk: Desk) -> None:
    desk.begin()
    desk.turn(3)
    for node in ("policy", "follower_left"):
        desk.sample("health", node, Health(node, "warn", f"{node} is warm"))
    assert [sample.node for sample in desk.journal.samples if sample.kind == "health"] == ["policy"]


def test_a_sample_from_the_future_is_dropped_and_counted(desk: Desk) -> None:
    desk.begin()
    desk.turn(3)
    kept = len(desk.journal.samples)
    body = desk.speaking["arm_state", "follower_left"]
    sample_ns = desk.now_ns + 1000 * NS_PER_S
    desk._do(desk.core.sample(_stamped(desk, body, sample_ns), desk.now_ns))
    assert len(desk.journal.samples) == kept
    assert desk.health().readings["bad_stamps"] == 1


def _stamped(desk: Desk, body: Message, captured_ns: int) -> Sample:
    return Sample("arm_state", "follower_left", Header(SCHEMA, 1, 10**6, captured_ns, desk.now_ns), body, ())


def test_the_station_stops(desk: Desk) -> None:
    begin = desk.begin()
    desk.turn(3)
    desk._do(desk.core.stop())
    desk.settle_journal()
    assert desk.answers[begin] == [Done()]
    assert ended(desk) == Ending(EndReason.STATION_STOPPED)
    assert desk.journal.closing is not None
    assert desk.journal.closing.cause == "the station stopped"


def test_the_table_knows_no_way_out_of_nothing() -> None:
    assert {state for state, _ in TRANSITIONS} == {"idle", "opening", "rows", "closing"}
    core = RecordingCore([])
    for happens in ("opened", "end", "closed"):
        with pytest.raises(KeyError):
            core._go(happens)


def test_what_a_wish_waits_is_what_the_table_of_time_outs_says() -> None:
    out: list[Any] = []
    core = RecordingCore(out)
    core.ask(BeginRecording("/a", RecordingInfo("t", 0)), lambda _: None, 0)
    assert core.decide("no sample yet", recording_core.PATIENCE_NS - 1) is None
    assert core.wish is not None
    assert core.decide("no sample yet", recording_core.PATIENCE_NS) is None
    assert core.wish is None
