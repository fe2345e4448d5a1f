"""`python -m tests.system.arm_faults --rig sim_gello_ur5e --random 100 --out FILE`: arms on the network stop, fall silent, drop things.

While an episode is recorded and the leader swings, something of `pendant_faults` happens to a follower's simulated controller. The hands
swing on, as those of somebody who looks elsewhere, through the stop, its end and the recovery. For every fault it is counted, by the
controller's own log:

- acknowledged rows that are missing in the file;
- how far the arm went between its stop and the next engagement;
- whether the operator's panel named it, with the next act.

`--kill N`: the library's process, the driver, the pilot and every process of the station at once are killed, N times each, and it is told
how soon the arm stood still, how far it had gone and how fast. Each fault is a line of `--out` (JSON); what is there is not done again;
`--seconds` ends a run in time. Some seconds a fault. The rig has no cameras in it, which a machine of two cores has no time for, nor for
two franky-sims: `--side right`.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import yaml
from rich.text import Text

from drivers.sim.world.requests import PressPendant, SwingArms
from station.bus.messages import Vector
from station.bus.requests import OpenSession, Recover, Stop
from station.bus.sockets import Subscriber
from station.cli.operator.bindings import Plan
from station.cli.operator.board import Board
from station.cli.operator.panel import render
from station.cli.operator.screen import as_text
from station.clock import NS_PER_S, monotonic_ns
from station.episodes.recover import recover
from station.errors import StationError
from station.rig.rig import find_rig
from tests.system.arm_trials import STOPS_NS, Trial, failures, table, went
from tests.system.kills import acknowledged
from tests.system.pendant_faults import FAULTS, Fault
from tests.system.rig import TASK, Booted, Saved, booted

WATCHED_NS = NS_PER_S // 2
"""How long the hands swing on before an arm that holds again."""
SWINGS_S = 60.0
AFTER_ROWS = 25
"""An episode that goes on has so many rows more."""
UNSEEN = -1
"""Rows of an episode whose file has not been looked at; its number is in `ended` meanwhile."""
KILLED = ("library", "driver", "pilot", "all of the station")


class Desk:
    """Somebody before the operator's panel, with the arms in view."""

    def __init__(self, rig: Booted) -> None:
        self._rig = rig
        self._board = Board(rig.rig, Plan(OpenSession(TASK), None))
        self._held = Subscriber(rig.rig.name, [("vector", arm) for arm in rig.rig.followers])

    def close(self) -> None:
        self._held.close()

    def words(self) -> str:
        """What the panel shows just now, its lines joined."""
        board, rig = self._board, self._rig
        board.session, board.session_ns = rig.session(), monotonic_ns()
        board.pilot, board.recorder, board.station = rig.pilot(), rig.recorder(), rig.station_state()
        lines = Text.from_ansi(as_text(render(board, monotonic_ns()))).plain.splitlines()
        return " ".join(" ".join(lines).replace("│", " ").split())

    def reads(self, *said: str, seconds: float = 10.0) -> tuple[str, str]:
        """Look until the panel says all of it: (what it shows then, what of it it never said)."""
        until_ns = monotonic_ns() + int(seconds * NS_PER_S)
        while (left := [one for one in said if one not in self.words()]) and monotonic_ns() < until_ns:
            self._rig.hear(50)
        return self.words(), ", ".join(left)

    def holds(self, arm: str) -> bool | None:
        """Does the gripper hold something, by the newest that has come of it since? None: nothing has."""
        found = None
        while (sample := self._held.receive()) is not None:
            if sample.node == arm and isinstance(sample.body, Vector):
                found = sample.body.values == (1.0,)
        return found


def press(rig: Booted, arm: str, pressed: tuple[tuple[str, float], ...]) -> int:
    """At that arm's controller; returns when the last was done, ns."""
    for what, value in pressed:
        rig.ask("world", PressPendant(arm, what, value))
    return monotonic_ns()


def swinging(rig: Booted, chance: random.Random) -> int:
    """An episode in which the leader swings; its number."""
    number = rig.record(rows=5)
    rig.ask("world", SwingArms(SWINGS_S, heedless=True))
    rows = chance.randrange(20, 90)
    rig.until("rows", lambda: (s := rig.session()) is not None and s.recorded_ticks >= rows)
    return number


def trial(rig: Booted, desk: Desk, number: int, fault: Fault, chance: random.Random) -> Trial:
    """One fault in the middle of an episode, and what people do about it."""
    arm = chance.choice(list(rig.rig.followers))
    press(rig, arm, (("object", fault.holds),))
    episode = swinging(rig, chance)
    if fault.holds >= 0:
        # it is dropped as soon as it is held: later the hand opens, and what falls then was let go of
        rig.until("open fingers", lambda: desk.holds(arm) is False)
        rig.until("something between the fingers", lambda: desk.holds(arm) is True)
    happened_ns = press(rig, arm, fault.pressed)
    safe = acknowledged(rig, episode)
    said = tuple(filter(None, (fault.says, fault.act)))
    if fault.goes_on:
        named, missing = desk.reads(*said)
        rows = safe + AFTER_ROWS
        rig.until("more rows", lambda: (s := rig.session()) is not None and s.recorded_ticks >= rows)
        safe = acknowledged(rig, episode)
        press(rig, arm, fault.ended)
        rig.ask("session", Stop())
    else:
        rig.ended(episode)
        named, missing = desk.reads(*said)
        press(rig, arm, fault.ended)
        if fault.recover:
            rig.ask("pilot", Recover(arm))
        holds(rig, arm, happened_ns)
    return looked_at(
        rig, number, arm, fault.name, episode, safe, happened_ns, named if said else "", missing, fault.goes_on
    )


def kill(rig: Booted, desk: Desk, number: int, whom: str, chance: random.Random) -> Trial:
    """One kill in the middle of an episode."""
    arm = chance.choice(list(rig.rig.followers))
    episode = swinging(rig, chance)
    lives = {node: rig.life(node) for node in rig.nodes}
    pids = {node: pid for node, pid in rig.pids().items() if node not in ("world", "supervisor")}
    nodes = {"library": [], "driver": [arm], "pilot": ["pilot"]}.get(whom, list(pids))
    victims = [pids[node] for node in nodes] if nodes else [library(pids[arm])]
    happened_ns = monotonic_ns()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    safe = acknowledged(rig, episode)
    for node in nodes:
        rig.until(f"{node} back", lambda node=node: rig.life_began_ns(node, lives[node]))  # type: ignore[misc]
    rig.until(
        "the episode in its place", lambda: (s := rig.session()) is not None and s.phase in ("hold", "ended", "reset")
    )
    named, _ = desk.reads()
    holds(rig, arm, happened_ns)
    return looked_at(rig, number, arm, f"{whom} killed", episode, safe, happened_ns, named, "", False)


def library(driver: int) -> int:
    """The process in which that driver's process has its vendor's library."""
    children = psutil.Process(driver).children()
    (found,) = [one for one in children if any(word.endswith(".vendor_process") for word in one.cmdline())]
    return found.pid


def holds(rig: Booted, arm: str, happened_ns: int) -> None:
    """The arm is well and holds, and the hands swing on for a while, also after it has stopped. A pilot that was restarted is idle."""

    def held() -> bool:
        pilot = rig.pilot()
        modes = (
            {one.arm: one.mode for one in pilot.arms} if pilot is not None and pilot.state in ("hold", "idle") else {}
        )
        return modes.get(arm) == "hold" and rig.well(arm)

    rig.until("a hold", held)
    until_ns = max(monotonic_ns(), happened_ns + STOPS_NS) + WATCHED_NS
    rig.until("the end of the watch", lambda: monotonic_ns() > until_ns)


def looked_at(
    rig: Booted, number: int, arm: str, what: str, episode: int, safe: int, happened_ns: int, named: str, missing: str, went_on: bool
) -> Trial:  # fmt: skip
    """The controller's log; then everything is engaged again. Its file is looked at in the end: `with_their_files`."""
    truth = rig.truth((monotonic_ns() - happened_ns) / NS_PER_S)
    did = went(truth[f"{arm}_t_ns"], truth[f"{arm}_rad"], happened_ns, went_on)
    rig.align()
    return Trial(number, arm, what, safe, UNSEEN, str(episode), named, missing, *did)


def with_their_files(rig: Booted, trials: list[Trial]) -> list[Trial]:
    """Once the station is down: what its builders, who have the lowest priority of all, had not come to is built here, as the next start
    would.
    """
    rig.stop()
    wrong = [str(found) for found in recover(rig.data) if not found.whole]
    assert not wrong, wrong
    done = []
    for one in trials:
        if one.rows != UNSEEN:
            done.append(one)
            continue
        saved = Saved(rig.data / TASK / f"episode_{one.ended}.hdf5")
        done.append(msgspec.structs.replace(one, rows=saved.rows, ended=saved.ended))
    return done


@contextmanager
def bare(name: str, sides: Sequence[str] = ()) -> Iterator[Booted]:
    """That rig without its cameras, and with the patience of a machine that others use too, in folders of its own. `sides`: those alone;
    none: all of them.
    """
    runtime, folder = tempfile.mkdtemp(prefix="st-", dir="/tmp"), Path(tempfile.mkdtemp(prefix="arms-"))
    described = yaml.safe_load(find_rig(name).read_text())
    described["arms"] = {side: arms for side, arms in described["arms"].items() if not sides or side in sides}
    described |= {"cameras": {}, "data": str(folder / "data"), "safety": {"stale_ms": 250, "resume_ms": 450}}
    path = folder / "rig.yaml"
    path.write_text(yaml.safe_dump(described, sort_keys=False))
    before = {key: os.environ.get(key) for key in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME")}
    os.environ |= {"XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": f"{runtime}/state"}
    try:
        with booted(path, folder / "data") as rig:
            yield rig
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})
        shutil.rmtree(runtime)
        shutil.rmtree(folder)


@contextmanager
def sat_at(rig: Booted) -> Iterator[Desk]:
    """Somebody before its panel."""
    desk = Desk(rig)
    try:
        yield desk
    finally:
        desk.close()


def faults_of(rig: Booted) -> tuple[Fault, ...]:
    """Of its followers' make."""
    (model,) = {str(rig.rig.device(arm).settings.model) for arm in rig.rig.followers}
    return FAULTS[model]


def tried(rig: Booted, desk: Desk, number: int, what: Fault | str, chance: random.Random) -> Trial:
    """A fault, or a kill; also where something that must follow does not."""
    try:
        return (
            kill(rig, desk, number, what, chance) if isinstance(what, str) else trial(rig, desk, number, what, chance)
        )
    except (AssertionError, StationError) as error:
        name = f"{what} killed" if isinstance(what, str) else what.name
        return Trial(number, "", name, 0, 0, "", "", "", 0.0, 0.0, 0.0, 0.0, f"{error}; the panel: {desk.words()}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="sim_gello_ur5e")
    parser.add_argument("--side", action="append", help="its arms alone: two franky-sims do not keep time on two cores")
    parser.add_argument("--random", type=int, default=0, help="faults drawn at random")
    parser.add_argument("--kill", type=int, default=0, help="kills of each process")
    parser.add_argument("--only", action="append", help="only faults of this name, or `pilot killed`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("arm-faults.jsonl"))
    parser.add_argument("--seconds", type=float, default=1e9, help="begin none after so many, to go on another time")
    asked = parser.parse_args()
    lines = asked.out.read_text().splitlines() if asked.out.exists() else []
    done = [msgspec.json.decode(line, type=Trial) for line in lines]
    wanted = [whom for whom in KILLED if not asked.only or f"{whom} killed" in asked.only]
    kills = [whom for whom in wanted for _ in range(asked.kill)]
    limit_rad_s = 0.0
    with bare(asked.rig, asked.side or ()) as rig, sat_at(rig) as desk, asked.out.open("ab") as out:
        limit_rad_s = rig.rig.safety.velocity_rad_s
        faults = [fault for fault in faults_of(rig) if not asked.only or fault.name in asked.only]
        plan: list[Fault | str] = [random.Random(f"{asked.seed} {n}").choice(faults) for n in range(asked.random)]
        plan += kills
        waiting: list[Trial] = []
        rig.open_session()
        ends_ns = monotonic_ns() + int(asked.seconds * NS_PER_S)
        for number in range(len(done), len(plan)):
            if monotonic_ns() > ends_ns:
                break
            what, chance = plan[number], random.Random(f"{asked.seed} {number} when")
            waiting.append(tried(rig, desk, number, what, chance))
            print(f"{number + 1}/{len(plan)} {waiting[-1]}", file=sys.stderr, flush=True)
            if waiting[-1].broke:
                break
        for one in with_their_files(rig, waiting):
            done.append(one)
            out.write(msgspec.json.encode(one) + b"\n")
    print(table(done))
    wrong = failures(done, limit_rad_s)
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
