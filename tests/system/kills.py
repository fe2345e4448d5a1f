"""`python -m tests.system.kills --rig bench --each 20 --random 200`: nodes are killed at random while recording.

After every kill: what was acknowledged is in the file, the file is whole and says what ended it, the followers kept
their torque and no goal was written faster than the rig's limits allow, and the node is back. Prints a table for
docs/reliability.md. Takes about ten seconds a kill. `--through run|eval`: while that command runs a policy, unattended, and what it
said of labels is held against the files too (`rollout_kills`).
"""

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from drivers.sim.servos.servo import RAD_PER_TICK
from station.bus.requests import Stop
from station.clock import NS_PER_S
from station.errors import RequestRefused
from station.rig.rig import find_rig
from tests.system.rig import Booted, booted, light_rig

WINDOW_NS = NS_PER_S // 5
SLACK_S = 0.05
"""What a gate may be ahead (40 ms), and what lies between its write and the servo's register."""


class Kill(NamedTuple):
    """What one kill did."""

    node: str
    back_s: float
    acknowledged: int
    rows: int
    ended: str
    fastest_rad_s: float
    """Of any joint's goal register, over 200 ms."""
    limp: int
    """Follower servos that lost their torque."""

    @property
    def lost(self) -> int:
        """Acknowledged rows that are not in the file."""
        return max(0, self.acknowledged - self.rows)


def victims(rig: Booted) -> tuple[str, ...]:
    """Every node of the station; the world stands for metal."""
    return tuple(node for node in rig.nodes if node != "world")


def kill(rig: Booted, node: str, chance: random.Random) -> Kill:
    """One episode and one kill in the middle of it."""
    number = rig.record(rows=chance.randrange(10, 60))
    life, losses = rig.life(node), torque_losses(rig, rig.truth(0.0))
    killed_ns = rig.signal(node, signal.SIGKILL)
    safe = acknowledged(rig, number)
    back_ns = rig.until(f"{node} back", lambda: rig.life_began_ns(node, life))
    rig.ready()
    state = rig.session()
    if state is not None and state.phase == "recording" and state.episode == number:
        with contextlib.suppress(RequestRefused):  # it may end by itself at this moment
            rig.ask("session", Stop())
    saved = rig.saved(number)
    truth = rig.truth(6.0)
    return Kill(
        node, (back_ns - killed_ns) / NS_PER_S, safe, saved.rows, saved.ended,
        fastest(rig, truth), torque_losses(rig, truth) - losses,
    )  # fmt: skip


def acknowledged(rig: Booted, number: int) -> int:
    """Rows of that episode that were announced before the kill was noticed."""
    rig.hear(0)
    recorder = rig.recorder()
    return recorder.recorded_ticks if recorder is not None and recorder.path.endswith(f"_{number}.mcap.part") else 0


def torque_losses(rig: Booted, truth: dict[str, Any]) -> int:
    """How often any follower's servo lost its torque since the world began."""
    return sum(int(truth[f"{arm}_torque_losses"].sum()) for arm in rig.rig.followers)


def fastest(rig: Booted, truth: dict[str, Any]) -> float:
    """The highest mean speed of any follower's goal register over a window, rad/s; what a gate may be ahead taken off."""
    top = 0.0
    for arm in rig.rig.followers:
        times, goals = truth[f"{arm}_t_ns"], truth[f"{arm}_rad"]
        if len(times) < 2:
            continue
        starts = np.arange(len(times))
        ends = np.minimum(np.searchsorted(times, times + WINDOW_NS), len(times) - 1)
        moved = np.abs(goals[ends] - goals[starts]).max(axis=1) - 2 * RAD_PER_TICK
        top = max(top, float((moved / ((times[ends] - times[starts]) / NS_PER_S + SLACK_S)).max()))
    return top


def failures(done: list[Kill], limit_rad_s: float) -> list[str]:
    """What was promised and not kept."""
    wrong = []
    for found in done:
        if found.lost:
            wrong.append(f"{found.node}: {found.lost} of {found.acknowledged} acknowledged rows are missing")
        if found.limp:
            wrong.append(f"{found.node}: {found.limp} servos lost their torque")
        if found.fastest_rad_s > limit_rad_s:
            wrong.append(f"{found.node}: a goal moved at {found.fastest_rad_s:.2f} rad/s, the limit is {limit_rad_s:g}")
    return wrong


def table(done: list[Kill]) -> str:
    """Markdown, a row per node."""
    lines = [
        "| node | kills | acknowledged rows lost | back s: median | worst | fastest goal rad/s | went limp | ended by itself |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for node in dict.fromkeys(found.node for found in done):
        of = [found for found in done if found.node == node]
        back = sorted(found.back_s for found in of)
        ended = sum(bool(found.ended) for found in of)
        lines.append(
            f"| {node} | {len(of)} | {sum(f.lost for f in of)} | {back[len(back) // 2]:.2f} | {back[-1]:.2f} "
            f"| {max(f.fastest_rad_s for f in of):.2f} | {sum(f.limp for f in of)} | {ended} |"
        )
    return "\n".join(lines)


def earlier(steps: Path | None) -> list[Kill]:
    """What a run that was cut off has done; nothing is left of a line that it was killed in."""
    if steps is None or not steps.exists():
        return []
    whole, _, _ = steps.read_bytes().rpartition(b"\n")
    steps.write_bytes(whole + b"\n" if whole else b"")
    return [msgspec.json.decode(line, type=Kill) for line in whole.splitlines()]


def keep(steps: Path | None, done: list[Kill]) -> None:
    """For the next run."""
    if steps is not None:
        with steps.open("ab") as file:
            file.writelines(msgspec.json.encode(one) + b"\n" for one in done)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="bench", help="bench, or light: half the load")
    parser.add_argument("--each", type=int, default=0, help="kills of every node")
    parser.add_argument("--random", type=int, default=0, help="kills of nodes drawn at random")
    parser.add_argument("--node", action="append", help="only these")
    parser.add_argument(
        "--through", choices=["run", "eval"], help="kill under this command, on a light rig with a verdict"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--steps",
        type=Path,
        help="a file with a line a kill; the same command goes on from it (with --through: from its last end)",
    )
    parser.add_argument("--most", type=int, help="end after so many, to go on another time")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    wrong = through(arguments, folder, chance) if arguments.through else alone(arguments, folder, chance)
    shutil.rmtree(folder)
    sys.exit("\n".join(wrong) if wrong else 0)


def _plan(rig: Booted, arguments: argparse.Namespace, chance: random.Random) -> list[str]:
    """Whom to kill, one after the other."""
    names = tuple(arguments.node or victims(rig))
    plan = [node for node in names for _ in range(arguments.each)]
    return plan + [chance.choice(names) for _ in range(arguments.random)]


def _now(plan: list[str], done: list[Kill], arguments: argparse.Namespace) -> list[str]:
    """Of those that are left, as many as are wanted now."""
    left = plan[len(done) :]
    return left if arguments.most is None else left[: arguments.most]


def alone(arguments: argparse.Namespace, folder: Path, chance: random.Random) -> list[str]:
    """While this program records. Returns what was promised and not kept."""
    path = light_rig(folder) if arguments.rig == "light" else find_rig(arguments.rig)
    done = earlier(arguments.steps)
    with booted(path, folder / "data") as rig:
        plan = _plan(rig, arguments, chance)
        for node in _now(plan, done, arguments):
            done.append(kill(rig, node, chance))
            keep(arguments.steps, done[-1:])
            print(f"{len(done)}/{len(plan)} {done[-1]}", file=sys.stderr, flush=True)
        wrong = failures(done, rig.rig.safety.velocity_rad_s)
        rig.close_session()
    print(table(done))
    return wrong


def through(arguments: argparse.Namespace, folder: Path, chance: random.Random) -> list[str]:
    """While a command of the operator's runs a policy. Returns what was promised and not kept."""
    from tests.system.rollout_kills import rollouts
    from tests.system.tempers import PLUGIN, install

    sys.path.insert(0, str(PLUGIN))  # its backend and its world are installed for this process too
    path = light_rig(folder, world={"driver": "judged"})
    done = earlier(arguments.steps)
    with booted(path, folder / "data", install()) as rig, rollouts(rig, arguments.through, folder) as running:
        struck = []
        plan = _plan(rig, arguments, chance)
        for node in _now(plan, done, arguments):
            struck.append(running.kill(node, chance))
            print(f"{len(done) + len(struck)}/{len(plan)} {struck[-1]}", file=sys.stderr, flush=True)
        new = running.looked_at(struck)
        keep(arguments.steps, new)
        done += new
        wrong = failures(done, rig.rig.safety.velocity_rad_s) + running.wrong()
    print(table(done))
    print(f"\n{running.labels} labels said; commands that gave up: {len(running.gave_up)} {running.gave_up or ''}")
    return wrong


if __name__ == "__main__":
    main()
