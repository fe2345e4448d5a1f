"""Kills while a command of the operator's runs a policy: `run --record --headless`, or `eval --headless`.

What the command told its operator is held against the disk: every acknowledged row is in a whole file, every label that was said, or stands
in trials.csv, is the episode's.
"""

import csv
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from station.bus.messages import SessionState
from station.clock import NS_PER_S
from station.episodes.catalogue import read_episode
from station.episodes.naming import episode_path
from tests.system import tempers
from tests.system.kills import Kill, acknowledged, fastest, torque_losses
from tests.system.rig import BUILT_S, Booted, Saved

Through = Literal["run", "eval"]
SECONDS = 8.0
"""Of a rollout, unless it is done before."""
MANY = 10_000
TASK = {"run": "rollouts", "eval": "trials"}
_LABELLED = re.compile(r"episode ([0-9]+) is a (success|failure), says physics")
_BEGINS_S = 120.0


class Struck(NamedTuple):
    """A rollout in which a node was killed, before it is a file."""

    node: str
    back_s: float
    acknowledged: int
    path: Path
    fastest_rad_s: float
    limp: int


class Command:
    """The operator's command, in a process of its own, with what it said."""

    def __init__(self, rig: Booted, through: Through, policy: Path, out: Path) -> None:
        words = ["--rig", str(rig.rig.file), "--policy", str(policy), "--seconds", f"{SECONDS:g}", "--headless"]
        if through == "run":
            words = ["run", *words, "--record", "--episodes", str(MANY), "--task", TASK[through], "--data", str(out)]
        else:
            words = ["eval", *words, "--trials", str(MANY), "--out", str(out)]
        self.folder = out / TASK[through]
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "station.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | tempers.install() | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.said += map(str.rstrip, self.process.stdout)

    @property
    def runs(self) -> bool:
        """Has it not ended by itself?"""
        return self.process.poll() is None

    def end(self) -> None:
        """Ctrl-C; it saves what was recorded."""
        if self.runs:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(BUILT_S)
        self._reader.join()


class Rollouts:
    """One command after another, until enough was killed."""

    def __init__(self, rig: Booted, through: Through, folder: Path) -> None:
        self._rig, self._through, self._folder = rig, through, folder
        self._policy = tempers.write(folder / "policy")
        self.commands: list[Command] = []
        self.gave_up: list[str] = []
        """The last words of commands that ended by themselves."""

    def kill(self, node: str, chance: random.Random) -> Struck:
        """One kill in the middle of a rollout, and the rollout's end."""
        rig = self._rig
        command, number = self._recording(chance.randrange(10, 60))
        life, losses = rig.life(node), torque_losses(rig, rig.truth(0.0))
        killed_ns = rig.signal(node, signal.SIGKILL)
        safe = acknowledged(rig, number)
        back_ns = rig.until(f"{node} back", lambda: rig.life_began_ns(node, life))
        rig.ended(number)
        truth = rig.truth(6.0)
        return Struck(
            node, (back_ns - killed_ns) / NS_PER_S, safe, episode_path(command.folder, number), fastest(rig, truth),
            torque_losses(rig, truth) - losses,
        )  # fmt: skip

    def _recording(self, rows: int) -> tuple[Command, int]:
        """A command that runs, and a rollout of it with so many rows, begun since now. One that has given up is begun anew."""
        self._rig.ready()
        begun = self._rig.session()
        before = begun.episode if begun is not None and begun.phase == "recording" else -1
        which = len(self.commands)

        def seen() -> SessionState | None:
            nonlocal which, before
            self._begin_anew()
            if which != len(self.commands):
                which, before = len(self.commands), -1
            state = self._rig.session()
            fits = state is not None and state.phase == "recording" and state.episode != before
            return state if fits and state is not None and state.recorded_ticks >= rows else None

        try:
            number = self._rig.until("a rollout", seen, _BEGINS_S).episode
        except AssertionError as error:
            raise AssertionError(f"{error}\nit said: {self.commands[-1].said[-6:]}") from error
        return self.commands[-1], number

    def _begin_anew(self) -> None:
        if self.commands and self.commands[-1].runs:
            return
        self._note_end()
        out = self._folder / f"{self._through}_{len(self.commands)}"
        self.commands.append(Command(self._rig, self._through, self._policy, out))

    def _note_end(self) -> None:
        if self.commands:
            said = self.commands[-1].said
            self.commands[-1].end()
            self.gave_up.append(next((line for line in said if line.startswith("cannot go on")), "; ".join(said[-2:])))

    def looked_at(self, struck: list[Struck]) -> list[Kill]:
        """Ends the command, so that every rollout is a whole file, and reads those that were struck."""
        if self.commands:
            self.commands[-1].end()
        done = []
        for one in struck:
            saved = Saved(one.path)
            done.append(
                Kill(one.node, one.back_s, one.acknowledged, saved.rows, saved.ended, one.fastest_rad_s, one.limp)
            )
        return done

    def wrong(self) -> list[str]:
        """All that the commands said, held against the disk; they have ended."""
        silent = [] if self.labels else ["no label was said, so that none could be lost"]
        return [*silent, *(line for command in self.commands for line in self._wrong(command))]

    def _wrong(self, command: Command) -> Iterator[str]:
        for number, success in self._told(command).items():
            episode = read_episode(episode_path(command.folder, number))
            if episode.problem or episode.success is not success:
                yield f"{episode.path}: {success} was said, {episode.success} is there; {episode.problem}"
        for left in command.folder.glob("*.mcap*"):
            yield f"{left} was left"

    def _told(self, command: Command) -> dict[int, bool]:
        """Episode → label, as the operator knows it."""
        if self._through == "run":
            found = (_LABELLED.match(line) for line in command.said)
            return {int(match[1]): match[2] == "success" for match in found if match is not None}
        with (command.folder.parent / "trials.csv").open() as file:
            return {
                int(row["episode"].rpartition("_")[2].removesuffix(".hdf5")): row["success"] == "1"
                for row in csv.DictReader(file)
            }

    @property
    def labels(self) -> int:
        """How many were said."""
        return sum(len(self._told(command)) for command in self.commands)


@contextmanager
def rollouts(rig: Booted, through: Through, folder: Path) -> Iterator[Rollouts]:
    """Commands that end with it."""
    running = Rollouts(rig, through, folder)
    try:
        yield running
    finally:
        for command in running.commands:
            command.end()
