"""`python -m tests.system.truth --seconds 60`: one episode of the bench rig, held against what its world knows.

From outside the station: where the leaders' shafts truly were at every instant, when goals truly reached the followers'
registers, and the true capture time inside every picture. Then how soon the next episode can start, and how long the
HDF5 takes. Prints a table for docs/performance.md. Needs about 30 s more than the episode; nothing else should run.
"""

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.jpeg_stamp import read_stamp
from station.bench.figures import Distribution
from station.bus.messages import ArmState
from station.bus.requests import Start, Stop
from station.bus.sockets import Subscriber
from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from station.rig.rig import find_rig
from tests.system.rig import Booted, booted

JOINTS = 6
"""The gripper's register is in its own linkage's angle: the six joints carry the same numbers on both sides."""
MOVING_RAD_S = 0.2
"""Below it a register's 0.0015 rad is too coarse a clock."""
NEXT_STARTS = 20

Times = NDArray[np.int64]
Positions = NDArray[np.float64]


def offsets_ns(times: Times, path: Positions, at_ns: Times, seen: Positions) -> tuple[Times, NDArray[np.bool_]]:
    """How long before `at_ns` the path was where it was seen, ns, and whether it moved enough for that to be said.

    One Newton step, then another, of the least squares over all joints: δ = Σ v (q(t) − seen) / Σ v². `path` (N, J) at
    `times` (N,) on an even grid; `seen` (M, J).
    """
    speed = np.gradient(path, times / NS_PER_S, axis=0)
    guess = at_ns.astype(np.float64)
    moving = np.ones(len(at_ns), np.bool_)
    for _ in range(3):
        q, v = (np.column_stack([np.interp(guess, times, column) for column in of.T]) for of in (path, speed))
        squares = (v**2).sum(axis=1)
        moving = squares > MOVING_RAD_S**2
        guess -= np.where(moving, (v * (q - seen)).sum(axis=1) / np.maximum(squares, 1e-9), 0.0) * NS_PER_S
    return (at_ns - guess).astype(np.int64), moving


def motion_to_register_ns(times: Times, path: Positions, written_ns: Times, goals: Positions) -> Times:
    """For every instant of the motion: how long until a goal that knows of it was in the register."""
    age, moving = offsets_ns(times, path, written_ns, goals)
    sampled_ns = np.maximum.accumulate((written_ns - age)[moving])
    instants = times[(times > sampled_ns[0]) & (times < sampled_ns[-1])]
    return np.asarray(written_ns[moving][np.searchsorted(sampled_ns, instants)] - instants)


class Listener:
    """Every leader reading of the episode: when it says it was taken, and what it read."""

    def __init__(self, rig: Booted) -> None:
        self._bus = Subscriber(rig.rig.name, [("arm_state", node) for node in rig.rig.leaders])
        self._times: dict[str, list[int]] = defaultdict(list)
        self._seen: dict[str, list[Sequence[float]]] = defaultdict(list)

    def hear(self) -> None:
        """What has come."""
        while (sample := self._bus.receive()) is not None:
            assert isinstance(sample.body, ArmState)
            self._times[sample.node].append(sample.header.captured_at_ns)
            self._seen[sample.node].append(sample.body.position[:JOINTS])

    def of(self, node: str) -> tuple[Times, Positions]:
        """One leader's."""
        return np.array(self._times[node], np.int64), np.array(self._seen[node], np.float64)

    def close(self) -> None:
        """No more."""
        self._bus.close()


def picture_offsets_ns(file: h5py.File, camera: str) -> Times:
    """Recorded minus true capture time of every new picture."""
    pictures, times = file[f"/observations/images/{camera}"], file[f"/timestamps/{camera}"][:]
    found = []
    for row in np.flatnonzero(file[f"/sync/is_new/{camera}"][:]):
        stamped = read_stamp(pictures[row].tobytes())
        assert stamped is not None, f"{camera}: row {row} has no stamp"
        found.append(times[row] - stamped.captured_ns)
    return np.array(found, np.int64)


def line(name: str, values_ns: Times) -> str:
    """One row of the table, ms."""
    found = Distribution.of((values_ns / NS_PER_MS).tolist())
    return f"| {name} | {found.p50:.2f} | {found.p95:.2f} | {found.p99:.2f} | {found.max:.2f} | {found.n} |"


def next_starts_ns(rig: Booted) -> list[int]:
    """From asking for the stop to the next episode being accepted."""
    took = []
    for _ in range(NEXT_STARTS):
        rig.record(rows=25)
        before_ns = monotonic_ns()
        rig.ask("session", Stop())
        rig.ask("session", Start())
        took.append(monotonic_ns() - before_ns)
        rig.ask("session", Stop())
    return took


def measure(rig: Booted, seconds: float) -> list[str]:
    """One episode and what the world knows of it; the table's lines."""
    listener = Listener(rig)
    number = rig.record(rows=1)
    rows = round(seconds * rig.rig.tick_hz)

    def complete() -> bool:
        listener.hear()
        state = rig.session()
        assert state is not None
        assert state.phase == "recording", rig.told()
        return state.recorded_ticks >= rows

    rig.until(f"{rows} rows", complete, seconds + 30)
    stopped_ns = monotonic_ns()
    rig.ask("session", Stop())
    rig.in_place(number)
    built_ns = monotonic_ns() - stopped_ns
    truth = rig.truth(seconds)  # keeps the world's processor busy: not while anything is measured
    saved = rig.saved(number)
    lines = []
    for leader in rig.rig.leaders:
        follower = leader.replace("leader", "follower")
        times, path = truth[f"{leader}_t_ns"], truth[f"{leader}_rad"][:, :JOINTS]
        written, goals = truth[f"{follower}_t_ns"], truth[f"{follower}_rad"][:, :JOINTS]
        lines.append(
            line(f"{leader} moved → {follower}'s register written", motion_to_register_ns(times, path, written, goals))
        )
        at, seen = listener.of(leader)
        late, moving = offsets_ns(times, path, at, seen)
        within = moving & (at > times[0]) & (at < times[-1])
        lines.append(line(f"{leader}: recorded − true capture time", late[within]))
    with h5py.File(saved.path) as file:
        lines += [
            line(f"{camera}: recorded − true capture time", picture_offsets_ns(file, camera))
            for camera in rig.rig.cameras
        ]
        assert set(np.diff(file["/timestamps/tick"][:])) == {NS_PER_S // round(rig.rig.tick_hz)}
        lines.append(
            f"\nrows {saved.rows}, late {int(file.attrs['late_ticks'])}, lost {int(file.attrs['lost_samples'])}"
        )
    size_mb = saved.path.stat().st_size / 1e6
    lines.append(f"HDF5 in place {built_ns / NS_PER_S:.2f} s after stop ({size_mb:.0f} MB)")
    listener.close()
    return lines


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rig", default="bench", help="bench, or a rig file made from it")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="truth-"))
    with booted(find_rig(arguments.rig), folder / "data") as rig:
        rig.open_session()
        starts = line("stop asked → next episode accepted", np.array(next_starts_ns(rig), np.int64))
        rig.until("their files", lambda: (state := rig.session()) is not None and not state.finalising, 300.0)
        lines = measure(rig, arguments.seconds)
        rig.close_session()
    print("\n".join(["| ms | p50 | p95 | p99 | max | n |", "|---|---|---|---|---|---|", starts, *lines]))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
