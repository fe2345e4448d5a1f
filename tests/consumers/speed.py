"""How fast a LeRobot dataset is written: its own writer, the floor, and `station dataset export`, in turns on the same episodes.

Run: python -m tests.consumers.speed FOLDER WORK [--most 6] [--rounds 2] [--only NAME …]

FOLDER has real episodes (50 Hz, cameras with JPEGs). Ours is the whole command, hashing, statistics and verifying included; of LeRobot's
writer neither its start nor the decoding of the JPEGs is counted. The floor does nothing but what must be done: as shot, mux JPEGs and
write numbers; by H.264, decode, encode, write numbers; two processes. Every run goes into WORK/runs.jsonl, and the table is of all that
are there: rounds can be run on several evenings.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import simplejpeg
from av.video.reformatter import VideoReformatter

from tests.consumers.environments import HERE, environment

WORKERS = 2
EVERY = 97
"""Frames between those whose quality is measured."""


class Ran(NamedTuple):
    """What a contender took."""

    pictures: int
    seconds: float
    cpu_seconds: float
    """Of all its processes: what other programs do meanwhile hardly changes it."""


Contender = Callable[[list[Path], Path], Ran]


def children_s() -> float:
    """Processor time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lerobot(mode: str) -> Contender:
    def run(episodes: list[Path], out: Path) -> Ran:
        done = subprocess.run(
            [environment("lerobot-v3") / "bin/python", HERE / "write_lerobot.py", mode, out, *episodes],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parent / "hf"), "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        said = json.loads(done.stdout.splitlines()[-1])
        return Ran(said["pictures"], said["seconds"], said["cpu_seconds"])

    return run


def floor(video: str) -> Contender:
    def run(episodes: list[Path], out: Path) -> Ran:
        out.mkdir()
        began, used = time.perf_counter(), children_s()
        with ProcessPoolExecutor(WORKERS) as pool:
            pictures = sum(pool.map(floor_of_one, [(video, path, out) for path in episodes]))
        return Ran(pictures, time.perf_counter() - began, children_s() - used)

    return run


def floor_of_one(item: tuple[str, Path, Path]) -> int:
    video, path, out = item
    with h5py.File(path) as file:
        table = {name: list(file[name][:]) for name in ("observations/qpos", "action")}
        pq.write_table(
            pa.table({name.replace("/", "."): pa.array(rows) for name, rows in table.items()}),
            out / f"{path.stem}.parquet",
        )
        cameras, lengths = file.attrs["camera_names"], file["compress_len"][:]
        for place, camera in enumerate(cameras):
            rows = file[f"observations/images/{camera}"]
            jpegs = [rows[row].tobytes()[: int(lengths[place, row])] for row in range(len(rows))]
            with av.open(str(out / f"{path.stem}-{camera}.mp4"), "w") as container:
                (mux if video == "as-shot" else encode)(container, jpegs, round(float(file.attrs["tick_hz"])))
        return len(cameras) * len(file["action"])


def mux(container: Any, jpegs: list[bytes], fps: int) -> None:
    stream = container.add_stream("mjpeg", rate=fps)
    stream.pix_fmt, stream.width, stream.height = "yuvj420p", 640, 480
    for number, data in enumerate(jpegs):
        packet = av.Packet(data)
        packet.stream, packet.pts, packet.dts, packet.duration, packet.time_base = (
            stream,
            number,
            number,
            1,
            Fraction(1, fps),
        )
        packet.is_keyframe = True
        container.mux(packet)


def encode(container: Any, jpegs: list[bytes], fps: int) -> None:
    stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "18", "bf": "0"})
    stream.pix_fmt, stream.width, stream.height, stream.gop_size = "yuv420p", 640, 480, 10
    stream.codec_context.thread_count, stream.codec_context.color_range = 1, 1
    decoder, reformatter = (
        av.CodecContext.create("mjpeg", "r"),
        VideoReformatter(),
    )  # a frame's own is built anew each time
    for number, data in enumerate(jpegs):
        frame = reformatter.reformat(
            decoder.decode(av.Packet(data))[0], format="yuv420p", src_color_range=2, dst_color_range=1, threads=1
        )
        frame.pict_type, frame.pts, frame.time_base = 0, number, Fraction(1, fps)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def ours(video: str) -> Contender:
    def run(episodes: list[Path], out: Path) -> Ran:
        given = [word for path in episodes for word in ("--from", str(path))]
        command = [
            sys.executable,
            "-m",
            "station.cli",
            "dataset",
            "export",
            "lerobot-v3",
            out,
            *given,
            "--video",
            video,
        ]
        began, used = time.perf_counter(), children_s()
        done = subprocess.run(
            [*map(str, command), "--workers", str(WORKERS), "--json"], stdout=subprocess.PIPE, check=True
        )
        seconds, used = time.perf_counter() - began, children_s() - used
        with h5py.File(episodes[0]) as file:
            cameras = len(file.attrs["camera_names"])
        return Ran(json.loads(done.stdout)["frames"] * cameras, seconds, used)

    return run


CONTENDERS: dict[str, Contender] = {
    "LeRobot, default (AV1)": lerobot("av1"),
    "LeRobot, H.264": lerobot("h264"),
    "LeRobot, H.264 streaming": lerobot("streaming"),
    "floor, as shot": floor("as-shot"),
    "floor, H.264": floor("h264"),
    "station, as shot": ours("as-shot"),
    "station, H.264": ours("h264"),
}

ASKED = (
    ("station, as shot", "LeRobot, default (AV1)", 60.0), ("station, as shot", "LeRobot, H.264 streaming", 20.0),
    ("station, H.264", "LeRobot, default (AV1)", 8.0), ("station, H.264", "LeRobot, H.264 streaming", 3.5),
    ("station, H.264", "floor, H.264", 1 / 1.3), ("station, as shot", "floor, as shot", 1 / 2.5),
)  # fmt: skip


def quality(episodes: list[Path], out: Path) -> float:
    """PSNR in dB of every so many frames against the JPEG of its row, the mean error of all; every writer keeps the episodes' order."""
    with h5py.File(episodes[0]) as file:
        cameras = [str(name) for name in file.attrs["camera_names"]]
    errors = []
    for place, camera in enumerate(cameras):
        frames = sampled_frames(
            sorted((path for path in out.rglob("*.mp4") if camera in str(path.relative_to(out))), key=by_number)
        )
        number = -1
        for path in episodes:
            with h5py.File(path) as file:
                rows, lengths = file[f"observations/images/{camera}"], file["compress_len"][place]
                for row in range(len(rows)):
                    number += 1
                    if number % EVERY == 0:
                        jpeg = rows[row].tobytes()[: int(lengths[row])]
                        shot = simplejpeg.decode_jpeg(jpeg, "RGB").astype(np.float64)
                        errors.append(float(np.mean((frames.pop(number) - shot) ** 2)))
        assert not frames, f"{camera} has more frames than its episodes have rows"
    return float(10 * np.log10(255**2 / np.mean(errors)))


def by_number(path: Path) -> tuple[int, str]:
    """episode_2 before episode_10, as the station has it."""
    return len(path.name), str(path)


def sampled_frames(videos: list[Path]) -> dict[int, Any]:
    """By their number in all of a camera's files."""
    found, number = {}, 0
    for path in videos:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if number % EVERY == 0:
                    found[number] = frame.to_ndarray(format="rgb24").astype(np.float64)
                number += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most", type=int, default=6, help="episodes")
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS))
    given = parser.parse_args()
    episodes = sorted(given.folder.glob("episode_*.hdf5"), key=by_number)[: given.most]
    given.work.mkdir(parents=True, exist_ok=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with compiled modules, as an installation has them
    kept = given.work / "runs.jsonl"
    for _ in range(given.rounds):
        for name in given.only:
            out = given.work / "set"
            shutil.rmtree(out, ignore_errors=True)
            ran = CONTENDERS[name](episodes, out)
            size = sum(path.stat().st_size for path in out.rglob("*.mp4")) / ran.pictures / 1000
            run = {"name": name, **ran._asdict(), "kb": size, "db": quality(episodes, out)}
            with kept.open("a") as runs:
                runs.write(json.dumps(run) + "\n")
            print(run, flush=True)
            shutil.rmtree(out)
    table([json.loads(line) for line in kept.read_text().splitlines()])


def table(runs: list[dict[str, Any]]) -> None:
    """Of all runs, and what is asked."""
    rates: dict[str, list[float]] = {}
    per_cpu: dict[str, list[float]] = {}
    last = {run["name"]: run for run in runs}
    for run in runs:
        rates.setdefault(run["name"], []).append(run["pictures"] / run["seconds"])
        per_cpu.setdefault(run["name"], []).append(run["pictures"] / run["cpu_seconds"])
    print("\n| | pictures/s | per CPU-s | KB/picture | PSNR |\n|---|---|---|---|---|")
    for name in filter(rates.get, CONTENDERS):
        run = last[name]
        print(f"| {name} | {spread(rates[name])} | {spread(per_cpu[name])} | {run['kb']:.1f} | {run['db']:.1f} dB |")
    print("\n| | asked | pictures/s | per CPU-s |\n|---|---|---|---|")
    for one, other, least in ASKED:
        if one in rates and other in rates:
            found = [statistics.median(by[one]) / statistics.median(by[other]) for by in (rates, per_cpu)]
            print(f"| {one} / {other} | ≥ {least:.2f} | {found[0]:.2f} | {found[1]:.2f} |")


def spread(found: list[float]) -> str:
    return f"{statistics.median(found):.0f} ({min(found):.0f}–{max(found):.0f})"


if __name__ == "__main__":
    main()
