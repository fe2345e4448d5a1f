"""The recorder under any sequence of events: rows without gaps, streams that stay, everybody answered once."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from station.bus.messages import PilotState
from station.bus.requests import EndRecording, KeepHold
from station.devices.contract import StreamDescription
from station.sync.effects import JournalClosed, JournalFlushed
from tests.station.sync.desk import ALIGNING, HOLDING, Desk, gate

ASKED = st.tuples(
    st.sampled_from(["begin", "begin", "begin few", "end", "end any", "keep", "keep not"]), st.integers(0, 1)
)
JOURNAL = st.sampled_from(["opens", "opens", "opens", "flushed", "closes", "closes", "fails", "closes badly"])
AROUND = st.sampled_from(
    [
        "hush arm",
        "arm",
        "hush cam",
        "cam",
        "headset",
        "describes more",
        "holds",
        "engaged",
        "aligns",
        "gate holds",
        "gate follows",
    ]
)
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["turn", "turn", "long turn"]), st.just(0)),
    ASKED,
    st.tuples(JOURNAL, st.just(0)),
    st.tuples(AROUND, st.just(0)),
)


class Walk:
    """Any sequence of events; what must be true after each."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        self.desk.all_speak()
        self.desk.turn(2)
        self.desk.opens_by_itself = False

    def does(self, what: str, number: int) -> None:
        desk = self.desk
        journal = desk.journals[-1] if desk.journals and not desk.journals[-1].closed else None
        if what in ("turn", "long turn"):
            desk.turn(1 if what == "turn" else 30)
        elif what.startswith("begin"):
            desk.begin(number, 3 if what == "begin few" else None)
        elif what.startswith("end"):
            desk.ask(EndRecording(path=str(desk.path(number)) if what == "end" else ""))
        elif what.startswith("keep"):
            desk.ask(KeepHold(what == "keep"))
        elif (
            what == "opens"
            and journal is not None
            and not journal.opened
            and not journal.failed
            and journal.closing is None
        ):
            desk.journal_opens()
        elif what == "fails" and journal is not None and not journal.failed and journal.closing is None:
            desk.journal_fails()
        elif what == "flushed" and journal is not None and journal.opened:
            desk.hear(JournalFlushed(journal.flushed, 1000))
        elif what.startswith("closes") and journal is not None and journal.closing is not None:
            journal.close()
            desk.hear(JournalClosed("the disk is gone" if what == "closes badly" else ""))
        else:
            self._around(what)

    def _around(self, what: str) -> None:
        desk = self.desk
        pilots: dict[str, PilotState] = {
            "holds": HOLDING, "engaged": PilotState("engaged", "leader", "", ()), "aligns": ALIGNING,
        }  # fmt: skip
        if what in pilots:
            desk.pilot = pilots[what]
        elif what.startswith("gate"):
            gate(desk, "near overload", what == "gate holds")
        elif what == "headset":
            desk.speak("hand_pose", "vr")
        elif what == "describes more":
            desk.descriptions["cam"] = desk.descriptions["cam"].__class__(
                "webcam", "C0", "", (*desk.descriptions["cam"].streams[:1], StreamDescription("depth", 30.0))
            )
            desk.speak("description", "cam")
            desk.speak("depth", "cam")
        elif what in ("arm", "cam"):
            desk.speak("arm_state" if what == "arm" else "frame", "follower_left" if what == "arm" else "cam")
        elif what.startswith("hush"):
            for key in [
                key for key in desk.speaking if key[1] == what.removeprefix("hush ").replace("arm", "follower_left")
            ]:
                del desk.speaking[key]

    def holds_true(self) -> None:
        desk, core = self.desk, self.desk.core.recording
        assert all(len(answers) <= 1 for answers in desk.answers.values()), "answered twice"
        assert (core.ending is None) <= (core.state in ("idle", "opening", "rows"))
        assert core.acknowledged <= core.rows

    @staticmethod
    def _whole(journal: Any) -> None:
        rows, ticks = journal.rows, journal.ticks
        assert [row.row for row in rows] == list(range(len(rows))), "rows are numbered without a gap"
        assert [row.tick for row in rows] == [tick.tick for tick in ticks], "each row follows its tick"
        assert len({row.tick - row.row for row in rows}) <= 1, "no tick is left out between two rows"
        for tick in ticks:
            assert {chosen.stream for chosen in tick.chosen} == journal.streams, "frozen"
        kinds = {(stream.kind, stream.node) for stream in journal.header.streams}
        devices = {(s.kind, s.node) for s in journal.samples if s.kind in ("arm_state", "frame", "depth", "hand_pose")}
        assert devices <= kinds, "nothing of a stream that the header does not name"

    def settles(self) -> None:
        """Everything is told to stop; nothing is late any more."""
        desk = self.desk
        desk.opens_by_itself = True
        desk.turn(155)  # a wish has been given up by then
        desk._do(desk.core.stop())
        desk.turn(10)
        self.holds_true()
        assert all(len(answers) == 1 for answers in desk.answers.values()), "somebody is still waiting"
        assert all(journal.closed for journal in desk.journals), "a journal is still open"
        assert desk.core.recording.state == "idle"
        for journal in desk.journals:
            self._whole(journal)
            assert journal.closing is not None
            event(f"rows: {len(journal.rows) > 0}, ended: {journal.closing.cause[:12]}")


@pytest.mark.slow
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, min_size=5, max_size=50))
def test_whatever_comes_rows_are_whole_and_everybody_is_answered(tmp_path: Path, events: list[tuple[str, int]]) -> None:
    walk = Walk(tmp_path)
    walk.does("begin", 0)
    for what, number in events:
        walk.does(what, number)
        walk.holds_true()
    walk.settles()
