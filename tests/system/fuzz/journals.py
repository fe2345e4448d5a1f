"""Mutated journals through recovery: each keeps every byte, and the rows before the wound are saved."""

import random
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import h5py

from station.episodes.journal import JournalWriter
from station.episodes.naming import journal_path
from station.episodes.recover import recover
from station.episodes.verify import verify
from tests.station.episodes.recording import Recording, header, jpeg
from tests.system.fuzz.steps import SLOW_S, Step

ROWS = 12
CAMERA = ("cam_high",)


class Journal(NamedTuple):
    """A whole one, and how long it was after each row's flush."""

    content: bytes
    flushed: tuple[int, ...]


def whole(folder: Path) -> Journal:
    """As a synchronizer writes it, a flush a tick."""
    path = journal_path(folder, 0)
    writer = JournalWriter(path, header(cameras=CAMERA))
    flushed = []
    for batch in Recording(ROWS, [jpeg()], cameras=CAMERA).batches():
        for sample in batch:
            writer.append(sample)
        writer.flush()
        flushed.append(path.stat().st_size)
    writer.close(ROWS)
    content = path.read_bytes()
    path.unlink()
    return Journal(content, tuple(flushed))


def wounded(content: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, zeroed, cut out, repeated, put in, the end gone, lengths that cannot be."""
    hurt = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at, size = chance.randrange(len(hurt)), chance.choice((1, 8, 100, 5000))
        match chance.randrange(8):
            case 0 | 1:
                hurt[at] ^= chance.randrange(1, 256)
            case 2:
                hurt[at : at + size] = bytes(min(size, len(hurt) - at))
            case 3:
                del hurt[at : at + size]
            case 4:
                hurt[at:at] = hurt[at : at + size]
            case 5:
                hurt[at:at] = chance.randbytes(size)
            case 6:
                hurt[at : at + 8] = b"\xff" * min(8, len(hurt) - at)
            case 7:
                del hurt[at:]
        if not hurt:
            break
    return bytes(hurt)


def fuzz(folder: Path, seed: int, count: int) -> Step:
    """So many journals, one after the other."""
    chance = random.Random(f"journals {seed}")
    folder.mkdir(parents=True)
    good = whole(folder)
    understood, slowest, wrong = 0, 0.0, []
    for number in range(count):
        hurt = wounded(good.content, chance)
        home = folder / str(number)
        home.mkdir()
        journal_path(home, 0).write_bytes(hurt)
        begun = time.process_time()  # the machine may be busy
        try:
            found = list(recover(home))
            told = _wrong(home, good, hurt)
            understood += any(result.rows for result in found)
        except Exception:
            told = traceback.format_exc(limit=-3)
        took_s = time.process_time() - begun
        slowest = max(slowest, took_s)
        if took_s > SLOW_S:
            told = f"took {took_s:.1f} s"
        if told:
            wrong.append(f"{number}: {told}")
            continue  # it stays, to be looked at
        for path in home.iterdir():
            path.unlink()
        home.rmdir()
    return Step("journals", "journals", seed, count, understood, slowest, tuple(wrong))


def _wrong(home: Path, good: Journal, hurt: bytes) -> str:
    """What must not be, after recovery; "" if nothing."""
    episodes = [path for path in home.iterdir() if path.suffix == ".hdf5"]
    rows, damage = 0, ""
    for path in episodes:
        if findings := verify(path):
            return f"{path.name} is not whole: {findings[:3]}"
        with h5py.File(path) as file:
            rows, damage = len(file["/action"]), str(file.attrs["damage"])
    wound = next(
        (at for at, (a, b) in enumerate(zip(good.content, hurt, strict=False)) if a != b),
        min(len(good.content), len(hurt)),
    )
    before = sum(size <= wound for size in good.flushed) - 1  # the first flush closes no row
    if rows < before:
        return f"{rows} rows saved, {before} were before the wound at byte {wound}"
    kept = any(
        path.stat().st_size == len(hurt) and path.read_bytes() == hurt for path in home.iterdir() if path.is_file()
    )
    if not kept and (damage or (rows < ROWS and wound < good.flushed[-1])):
        return f"bytes lost: {rows} rows, damage {damage!r}, there are {sorted(path.name for path in home.iterdir())}"
    return ""
