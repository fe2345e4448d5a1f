"""The session core's ports, answered by hand."""

from collections.abc import Callable
from pathlib import Path

from station.bus.messages import Ending, EndReason, RecorderState
from station.bus.pending import Then
from station.bus.requests import Done, OpenSession, PilotRequest, Reply, SessionRequest, Start, SyncRequest
from station.errors import EpisodeError
from station.rig.file import Safety
from station.rig.rig import Rig
from station.session.core import SessionCore
from station.session.disk_budget import DiskBudget

RIG = Rig("r", Path("r.yaml"), "", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)

COMPLETE, STOPPED = Ending(EndReason.COMPLETE), Ending(EndReason.STOPPED)


class World:
    """The core's ports; the test answers by hand."""

    def __init__(self) -> None:
        self.pilot_asked: list[tuple[PilotRequest, Then]] = []
        self.sync_asked: list[tuple[SyncRequest, Then]] = []
        self.incremental: list[Path] = []
        self.finalising: list[tuple[Path, bool, Callable[[Path | None, str], None]]] = []
        self.acknowledged: list[int] = []
        """Per episode that was to be built, the rows that must be in it."""
        self.journals: set[Path] = set()
        self.replies: list[Reply] = []
        self.disk: list[tuple[str, int, object]] = []
        self.unwritable = self.gone = self.in_use = False
        self.unlike = ""
        self.free = 4
        self.free_bytes, self.left_s = 10**12, 1e6
        self.partial_hdf5_bytes = 0
        self.core = SessionCore(RIG, self)

    def pilot(self, request: PilotRequest, then: Then) -> None:
        self.pilot_asked.append((request, then))

    def sync(self, request: SyncRequest, then: Then) -> None:
        self.sync_asked.append((request, then))

    def another_rigs(self, folder: Path) -> str:
        return self.unlike

    def prepare(self, folder: Path) -> int:
        if self.unwritable:
            raise PermissionError(13, "Permission denied")
        assert folder == Path("/data/pick")
        return self.free

    def build_incrementally(self, part: Path) -> None:
        self.incremental.append(part)

    def exists(self, part: Path) -> bool:
        return part in self.journals

    def finalise(
        self, part: Path, discarded: bool, ended: str, acknowledged: int, then: Callable[[Path | None, str], None]
    ) -> None:
        self.acknowledged.append(acknowledged)
        self.finalising.append((part, discarded, then))

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

    def press(self, request: SessionRequest) -> None:
        self.core.request(request, self.replies.append)

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
        self.core.heard_recorder(RecorderState(ended is None, path, rows, ended, 0, 0, ()))
