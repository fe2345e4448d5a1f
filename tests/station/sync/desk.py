"""A synchronizer's core with nothing around it: time that the test gives, a journal that opens, fails and closes when it says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from station.bus.messages import (
    SCHEMA,
    Applied,
    ArmState,
    Header,
    Health,
    Message,
    PilotState,
    RecorderState,
    Row,
    Tick,
)
from station.bus.requests import BeginRecording, RecordingInfo, Reply, SyncRequest
from station.bus.wire import Sample
from station.clock import NS_PER_MS, Grid
from station.episodes.journal import JournalWriter
from station.sync.core import SynchronizerCore
from station.sync.effects import (
    Answer,
    CloseJournal,
    Effect,
    Flush,
    JournalClosed,
    JournalFailed,
    JournalFlushed,
    JournalNews,
    JournalOpened,
    Now,
    OpenJournal,
    Publish,
    Record,
    Tell,
)
from tests.station.sync.stage import BODIES, PAYLOADS, descriptions, stage_rig


class FakeJournal:
    """What was asked of one journal, in its order. `real`: it is written too, so that its HDF5 can be built."""

    def __init__(self, effect: OpenJournal, real: bool) -> None:
        self.path, self.header = effect.path, effect.header
        self.writer = JournalWriter(effect.path, effect.header) if real else None
        self.samples: list[Sample] = []
        self.flushed = 0
        self.opened = self.failed = self.closed = False
        self.closing: CloseJournal | None = None

    @property
    def streams(self) -> set[str]:
        return {stream.name for stream in self.header.streams}

    @property
    def rows(self) -> list[Row]:
        return [sample.body for sample in self.samples if isinstance(sample.body, Row)]

    @property
    def ticks(self) -> list[Tick]:
        return [sample.body for sample in self.samples if isinstance(sample.body, Tick)]

    def close(self) -> None:
        assert self.closing is not None
        self.closed = True
        if self.writer is not None:
            self.writer.close(self.flushed, self.closing.cause, self.closing.unrecorded)


class Desk:
    """One follower, one camera, a headset. Whoever speaks does so just before each tick."""

    def __init__(self, folder: Path, depth: bool = False, real: bool = False) -> None:
        self.rig, self.folder, self._real = stage_rig(folder), folder, real
        self._grid = Grid(0, self.rig.tick_hz)
        self.k = 1000
        self.core = SynchronizerCore(self.rig, 7, self._grid.time_ns(self.k))
        self.descriptions = descriptions(depth)
        self.speaking: dict[tuple[str, str], Message] = {}
        self.pilot = PilotState("engaged", "leader", "", ())
        self.answers: dict[int, list[Reply]] = {}
        self.journals: list[FakeJournal] = []
        self.ticks: list[Tick] = []
        self.told: list[str] = []
        self.recorder: RecorderState | None = None
        self.opens_by_itself = True
        """A journal is open, flushed, closed by the next tick; else when the test says."""
        self._sequence = 0

    @property
    def now_ns(self) -> int:
        """Just after the emission of the last tick."""
        return self._grid.time_ns(self.k) + 4 * NS_PER_MS

    @property
    def journal(self) -> FakeJournal:
        return self.journals[-1]

    def path(self, number: int) -> Path:
        return self.folder / f"episode_{number}.mcap.part"

    # -- what comes --

    def speak(self, kind: str, node: str, body: Message | None = None) -> None:
        """From now on that stream flows."""
        made = body or {**BODIES, "description": self.descriptions.get(node)}[kind]
        assert made is not None
        self.speaking[kind, node] = made

    def all_speak(self) -> None:
        """Arm and camera, with what they are; of the headset only what it is."""
        for node, description in self.descriptions.items():
            self.speak("description", node)
            for stream in description.streams:
                if stream.kind != "hand_pose":
                    self.speak(stream.kind, node)

    def sample(self, kind: str, node: str, body: Message, at_ns: int | None = None) -> None:
        """One message."""
        self._sequence += 1
        captured_ns = self.now_ns if at_ns is None else at_ns
        header = Header(SCHEMA, 1, self._sequence, captured_ns, captured_ns, type(body).__name__)
        self._do(self.core.sample(Sample(kind, node, header, body, PAYLOADS.get(kind, ())), captured_ns))

    def turn(self, ticks: int = 1) -> None:
        """The next tick, and everything around it."""
        for _ in range(ticks):
            self.k += 1
            t_ns = self._grid.time_ns(self.k)
            for (kind, node), body in self.speaking.items():
                self.sample(kind, node, body, t_ns - NS_PER_MS)
            self.sample("pilot", "pilot", self.pilot, t_ns - NS_PER_MS)
            self._do(self.core.tick(self.k, t_ns + 4 * NS_PER_MS))
            if self.opens_by_itself:
                self.settle_journal()
            self._do(self.core.turn(Now(self.now_ns, 0), 0))

    def settle_journal(self) -> None:
        """The journal does all it was asked to."""
        if not self.journals:
            return
        journal = self.journal
        if not journal.opened and not journal.failed and journal.closing is None:
            self.journal_opens()
        if journal.opened:
            self.hear(JournalFlushed(journal.flushed, 1000))
        if journal.closing is not None and not journal.closed:
            journal.close()
            self.hear(JournalClosed())

    def journal_opens(self) -> None:
        self.journal.opened = True
        self.hear(JournalOpened())

    def journal_fails(self, why: str = "the disk is full") -> None:
        self.journal.failed = True
        self.hear(JournalFailed(why))

    def hear(self, news: JournalNews) -> None:
        self._do(self.core.journal(news))

    # -- who asks --

    def ask(self, request: SyncRequest) -> int:
        """Its number, for `answers`."""
        number = len(self.answers)
        answers = self.answers[number] = []
        self._do(self.core.request(request, answers.append, Now(self.now_ns, 0)))
        return number

    def begin(self, number: int = 0, ticks: int | None = None) -> int:
        return self.ask(BeginRecording(str(self.path(number)), RecordingInfo("t", number), ticks))

    def health(self) -> Health:
        return self.core.health(self.now_ns)

    # -- what is done --

    def _do(self, effects: Sequence[Effect]) -> None:
        does: dict[type, Callable[[Any], None]] = {
            Publish: self._publish, Answer: lambda effect: effect.asker(effect.reply), Tell: lambda e: self.told.append(e.words),
            OpenJournal: self._open, Record: self._record, Flush: self._flush, CloseJournal: self._close,
        }  # fmt: skip
        for effect in effects:
            does[type(effect)](effect)

    def _publish(self, effect: Publish) -> None:
        if isinstance(effect.body, Tick):
            self.ticks.append(effect.body)
        else:
            assert isinstance(effect.body, RecorderState)
            self.recorder = effect.body

    def _open(self, effect: OpenJournal) -> None:
        assert not self.journals or self.journal.closed, "two journals at once"
        self.journals.append(FakeJournal(effect, self._real))

    def _record(self, effect: Record) -> None:
        journal, sample = self.journal, effect.sample
        assert journal.opened and journal.closing is None, "written to before it is open or after its end"
        journal.samples.append(sample)
        if journal.writer is not None:
            journal.writer.append(sample)

    def _flush(self, effect: Flush) -> None:
        assert self.journal.opened and self.journal.closing is None
        self.journal.flushed = effect.rows
        if self.journal.writer is not None:
            self.journal.writer.flush()

    def _close(self, effect: CloseJournal) -> None:
        assert self.journal.closing is None, "closed twice"
        self.journal.closing = effect


HOLDING = PilotState("hold", "hold", "follower_left diverged", ())
ALIGNING = PilotState("aligning", "leader", "", ())
ARM = BODIES["arm_state"]
assert isinstance(ARM, ArmState)


def gate(desk: Desk, why: str = "", hold: bool = False) -> None:
    """The follower's gate says which goal it wrote."""
    applied = Applied("follower_left", "hold" if hold else "leader", -1, 0, desk.now_ns, (0.1,) * 7, hold=hold, why=why)
    desk.sample("applied", "follower_left", applied)
