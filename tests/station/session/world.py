"""The session core's ports, answered by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from station.bus.messages import Ending, EndReason, Phase, PilotState, RecorderState
from station.bus.pending import Then
from station.bus.requests import (
    ControlRequest,
    Done,
    OpenSession,
    PilotRequest,
    PolicyRequest,
    Reply,
    SessionRequest,
    Start,
    SyncRequest,
    Who,
)
from station.episodes.collection_file import Collection
from station.errors import EpisodeError
from station.rig.file import Safety
from station.rig.rig import Rig
from station.runtime.sitting import Sitting
from station.session.check_gate import CheckStanding
from station.session.core import SessionCore
from station.session.disk_budget import DiskBudget
from station.session.effects import Answer, Ask, Build, BuildIncrementally, Effect

RIG = Rig("r", Path("r.yaml"), "", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)

COMPLETE, STOPPED = Ending(EndReason.COMPLETE), Ending(EndReason.STOPPED)
IDLE = RecorderState(False, "", 0, None, 0, 0, ())


class World:
    """The core's disk and neighbours; the test answers by hand."""

    def __init__(self, left: Sitting | None = None, rig: Rig = RIG) -> None:
        self.now_ns = 0
        self.recorder_life = 1
        self.pilot_asked: list[tuple[PilotRequest, Then]] = []
        self.policy_asked: list[tuple[PolicyRequest, Then]] = []
        self.sync_asked: list[tuple[SyncRequest, Then]] = []
        self.incremental: list[Path] = []
        self.finalising: list[tuple[Path, bool, Callable[[Path | None, str], None]]] = []
        self.acknowledged: list[int] = []
        """Per episode that was to be built, the rows that must be in it."""
        self.journals: set[Path] = set()
        self.replies: list[Reply] = []
        self.disk: list[tuple[str, int, object]] = []
        self.unwritable = self.gone = self.in_use = False
        self.unlike = self.drifted = ""
        self.standing = CheckStanding("", None)
        self.collected = Collection(None)
        self.free = 4
        self.free_bytes, self.left_s = 10**12, 1e6
        self.partial_hdf5_bytes = 0
        self.core = SessionCore(rig, self, left)
        if left is None:
            self.heard_recorder(IDLE)

    def phase(self) -> Phase:
        return self.core.phase

    # -- what the core wants done --

    def do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Ask):
                asked: dict[str, list[Any]] = {
                    "pilot": self.pilot_asked,
                    "synchronizer": self.sync_asked,
                    "policy": self.policy_asked,
                }
                asked[effect.node].append((effect.request, self._answers(effect)))
            elif isinstance(effect, Answer):
                effect.asker(effect.reply)
            elif isinstance(effect, BuildIncrementally):
                self.incremental.append(effect.part)
            else:
                self.acknowledged.append(effect.acknowledged)
                self.finalising.append((effect.part, effect.discarded, self._built(effect)))

    def _answers(self, ask: Ask) -> Then:
        return lambda outcome: self.do(self.core.answered(ask.node, ask.number, outcome, self.now_ns))

    def _built(self, build: Build) -> Callable[[Path | None, str], None]:
        return lambda path, error: self.do(self.core.built(build.number, path, error, self.now_ns))

    # -- what happens --

    def heard_pilot(self, state: PilotState) -> None:
        self.do(self.core.heard_pilot(state, 1, self.now_ns))

    def heard_runner(self, life: int) -> None:
        self.do(self.core.heard_runner(life, self.now_ns))

    def heard_recorder(self, state: RecorderState) -> None:
        self.do(self.core.heard_recorder(state, self.recorder_life, self.now_ns))

    def recorder_lost(self) -> None:
        """Another life of the synchronizer speaks."""
        self.recorder_life += 1
        self.heard_recorder(IDLE)

    def time(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.do(self.core.time(now_ns))

    # -- the disk --

    def drift(self, folder: Path) -> str:
        return self.drifted

    def another_rigs(self, folder: Path) -> str:
        return self.unlike

    def collection(self, folder: Path) -> Collection:
        return self.collected

    def prepare(self, folder: Path) -> int:
        if self.unwritable:
            raise PermissionError(13, "Permission denied")
        assert folder == Path("/data/pick")
        return self.free

    def check(self) -> CheckStanding:
        return self.standing

    def exists(self, part: Path) -> bool:
        return part in self.journals

    def disk_budget(self, folder: Path, bytes_per_s: float) -> DiskBudget:
        if self.gone:
            raise FileNotFoundError(2, "No such file or directory")
        return DiskBudget(self.free_bytes, self.left_s, self.partial_hdf5_bytes)

    def label(self, folder: Path, episode: int, success: bool | None) -> None:
        self._maybe_fail()
        self.disk.append(("label", episode, success))

    def note(self, folder: Path, episode: int, text: str) -> None:
        self._maybe_fail()
        self.disk.append(("note", episode, text))

    def delete(self, folder: Path, episode: int) -> None:
        self._maybe_fail()
        self.disk.append(("delete", episode, None))

    def _maybe_fail(self) -> None:
        if self.in_use:
            raise EpisodeError("episode_4.hdf5 is in use")

    def press(
        self, request: SessionRequest | ControlRequest, seen: int | None = None, person: str = "ada", seat: str = "", at_rig: bool = True
    ) -> None:  # fmt: skip
        """On the state that is shown now, or on an earlier one. `seat`: from a page."""
        who = Who(
            "console" if seat else "record", person, self.core.state().sequence if seen is None else seen, seat, at_rig
        )
        self.do(self.core.request(request, self.replies.append, self.now_ns, who))

    def opened(self, open_session: OpenSession | None = None) -> "World":
        self.press(open_session or OpenSession("pick"))
        self.pilot_asked.pop()[1](Done())
        return self

    def recording(self, open_session: OpenSession | None = None) -> "World":
        self.opened(open_session).press(Start(2.0))
        self.sync_asked.pop()[1](Done())
        return self

    def recorder(self, rows: int, ended: Ending | None = None) -> None:
        path = "/data/pick/episode_4.mcap.part"
        self.heard_recorder(RecorderState(ended is None, path, rows, ended, 0, 0, ()))
