"""Mutated episode files through every `station episodes` command: no death, no hang, no trace, no file lost.

The commands run in a process of its own that says what it begins and what came of it: HDF5's library may take the process with it.
"""

import hashlib
import json
import queue
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from station.episodes.finalise import finalise
from station.episodes.naming import journal_path
from tests.station.episodes.recording import Recording, header, jpeg, write
from tests.system.fuzz.steps import SLOW_S, Step

CAMERA = ("cam_high",)
PATIENCE_S = 12 * SLOW_S
"""A command that says nothing for so long hangs, not counting what other processes made it wait for a processor: the machine may
be busy. What it takes of a processor is measured apart."""
_VALUES: tuple[Any, ...] = (
    "", "\x1b]0;owned\x07", "eve[/red][/]", "x" * 60_000, -1, 2**63 - 1, np.nan, np.inf, b"\xff\xfe", [1, 2, 3], [], ["a", "b"],
    h5py.Empty("f"), np.zeros((2, 2)), True, "{", "[" * 2000, '{"findings": 5}',
)  # fmt: skip


def whole(folder: Path) -> bytes:
    """An episode as the station writes it."""
    part = journal_path(folder, 0)
    write(part, Recording(6, [jpeg()], cameras=CAMERA), header(cameras=CAMERA))
    path = finalise(part)
    assert path is not None
    content = path.read_bytes()
    for each in folder.glob("*episode_0*"):
        each.unlink()
    return content


def mutate(path: Path, content: bytes, chance: random.Random) -> None:
    """Bytes that were hit, or a file that HDF5 opens and that is no episode."""
    if chance.random() < 0.5:
        hurt = bytearray(content)
        for _ in range(chance.choice((1, 3, 20))):
            at = chance.randrange(len(hurt)) if chance.random() < 0.5 else chance.randrange(min(len(hurt), 20_000))
            hurt[at] ^= chance.randrange(1, 256)
        if chance.random() < 0.2:
            del hurt[chance.randrange(len(hurt)) :]
        if chance.random() < 0.05:
            hurt = bytearray(chance.randbytes(chance.randrange(1000)))
        path.write_bytes(hurt)
        return
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        for _ in range(chance.choice((1, 2, 4))):
            _change(file, chance)


def _change(file: h5py.File, chance: random.Random) -> None:
    names: list[str] = []
    file.visit(names.append)
    if not names:
        return
    name = chance.choice(names)
    match chance.randrange(6):
        case 0:
            del file[name]
        case 1:
            del file[name]
            file[name] = chance.choice(
                (np.zeros(3), np.zeros((6, 14), "S3"), np.full((6, 14), np.nan, "f4"), 5, np.zeros((0, 14)))
            )
        case 2:
            del file[name]
            file[name] = chance.choice(
                (h5py.SoftLink("/nowhere"), h5py.SoftLink("/"), h5py.ExternalLink("/dev/null", "/x"))
            )
        case 3:
            attribute = chance.choice(list(file.attrs))
            file.attrs[attribute] = chance.choice(_VALUES)
        case 4:
            del file.attrs[chance.choice(list(file.attrs))]
        case 5:
            file.create_group(f"{chance.choice(('x', 'observations', 'sync', 'timestamps'))}/\x1b[2J {chance.random()}")


def commands(path: Path) -> tuple[tuple[str, ...], ...]:
    """Every command about one episode, the one that changes it last."""
    home, out = str(path.parent), str(path.parent / "out")
    return (
        ("ls", home), ("show", str(path)), ("show", str(path), "--pictures", out), ("verify", str(path)), ("verify", home),
        ("recover", home), ("view", f"{out}-view", "--data", home, "--include", "all"), ("delete", str(path)), ("ls", home),
        ("delete", "--undo", str(path)), ("label", str(path), "--success", "--note", "[/]\x1b[2J"), ("label", str(path), "--unset"),
    )  # fmt: skip


def fuzz(folder: Path, seed: int, count: int) -> Step:
    """So many episode files."""
    chance = random.Random(f"episodes {seed}")
    folder.mkdir(parents=True)
    content = whole(folder)
    paths = []
    for number in range(count):
        path = folder / str(number) / "cube" / "episode_0.hdf5"
        path.parent.mkdir(parents=True)
        try:
            mutate(path, content, chance)
        except Exception:  # HDF5 itself would not have it: as far as it went is strange enough
            assert path.exists()
        paths.append(path)
    understood, slowest, wrong = 0, 0.0, []
    left = list(paths)
    while left:
        for path, read, took_s, told in _through(left):
            left = left[left.index(path) + 1 :]
            understood += read
            slowest = max(slowest, took_s)
            wrong += [f"{path.parent.parent.name}: {what}" for what in told]
    if not wrong:
        shutil.rmtree(folder)
    return Step("episodes", "station episodes …", seed, count, understood, slowest, tuple(wrong))


def _through(paths: list[Path]) -> Iterator[tuple[Path, bool, float, list[str]]]:
    """What came of each file, until one takes the process with it or makes it hang."""
    command = [sys.executable, "-m", "tests.system.fuzz.episodes", *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, lines))
        reader.start()
        try:
            for path in paths:
                outcome = _outcome(lines, process.pid)
                yield path, outcome.read, outcome.slowest_s, outcome.wrong
                if outcome.over:
                    return
        finally:
            process.kill()
            reader.join()


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):  # else what libraries say
            lines.put(line)
    lines.put("")


class _Outcome(NamedTuple):
    read: bool
    slowest_s: float
    wrong: list[str]
    over: bool
    """The process is gone, or hangs."""


def _outcome(lines: "queue.Queue[str]", pid: int) -> _Outcome:
    """Of one file."""
    wrong: list[str] = []
    read, slowest, doing = False, 0.0, "starting"
    while True:
        line = _said(lines, pid)
        if line is None:
            return _Outcome(read, slowest, [*wrong, f"{doing}: hung for {PATIENCE_S:g} s"], True)
        if not line:
            return _Outcome(read, slowest, [*wrong, f"{doing}: the process died"], True)
        said = json.loads(line)
        if "begins" in said:
            doing = said["begins"]
            continue
        slowest = max(slowest, said["cpu_s"])
        wrong += said["wrong"]
        if said["cpu_s"] > SLOW_S:
            wrong.append(f"{doing}: took {said['cpu_s']:.1f} s")
        read |= said["read"]
        if said["last"]:
            return _Outcome(read, slowest, wrong, False)


def _said(lines: "queue.Queue[str]", pid: int) -> str | None:
    """The next line; None where the process hangs."""
    until_s = time.monotonic() + PATIENCE_S - _kept_waiting_s(pid)
    while True:
        try:
            return lines.get(timeout=1)
        except queue.Empty:
            if time.monotonic() - _kept_waiting_s(pid) > until_s:
                return None


def _kept_waiting_s(pid: int) -> float:
    """How long it could have run, and others had the processors. Of proc(5)'s schedstat, the second number (ns)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def worker(paths: list[Path]) -> None:
    """The process: every command on every file."""
    from typer.testing import CliRunner

    from station.cli.episodes import app

    for path in paths:
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        for arguments in commands(path):
            print(json.dumps({"begins": " ".join(arguments[:1])}), flush=True)
            begun = time.process_time()
            got = CliRunner().invoke(app, list(arguments))
            wrong = []
            if got.exception is not None and not isinstance(got.exception, SystemExit):
                wrong.append(f"{arguments[0]}: {type(got.exception).__name__}: {got.exception}"[:500])
            elif got.exit_code not in (0, 1, 2) or "Traceback" in got.output:
                wrong.append(f"{arguments[0]}: exit {got.exit_code}: {got.output[-500:]}")
            if "\x1b" in got.output or "\x07" in got.output:
                wrong.append(f"{arguments[0]}: an escape reached the terminal")
            if arguments[0] != "label" and not _is_there(path, before):
                wrong.append(f"{arguments[0]}: the file is lost or changed")
            last = arguments[0] == "label" and "--unset" in arguments
            if last and not path.exists():
                wrong.append("the file is lost")
            read = arguments[0] == "show" and got.exit_code == 0
            cpu_s = time.process_time() - begun
            print(json.dumps({"wrong": wrong, "read": read, "last": last, "cpu_s": cpu_s}), flush=True)


def _is_there(path: Path, sha256: str) -> bool:
    """Under its name or that of a deleted one, byte for byte."""
    kept = [each for each in (path, path.with_name(f"{path.name}.deleted")) if each.exists()]
    return any(hashlib.sha256(each.read_bytes()).hexdigest() == sha256 for each in kept)


if __name__ == "__main__":
    worker([Path(argument) for argument in sys.argv[1:]])
