"""How fast a LeRobot dataset is written: its own writer, the floor, and `station dataset export`, in turns on the same episodes.

Run: python -m tests.consumers.speed FOLDER WORK [--most 6] [--rounds 2] [--only NAME …]

FOLDER has real episodes (50 Hz, cameras with JPEGs). Ours is the whole command, hashing, statistics and verifying included; of LeRobot's
writer neither its start nor the decoding of the JPEGs is counted. The floor does nothing but what must be done: as shot, mux JPEGs and
write numbers; by H.264, decode, encode, write numbers; two processes.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import h5py
import pyarrow as pa
import pyarrow.parquet as pq

from tests.consumers.environments import HERE, environment

WORKERS = 2


def lerobot(mode: str) -> Callable[[list[Path], Path], tuple[int, float]]:
    def run(episodes: list[Path], out: Path) -> tuple[int, float]:
        done = subprocess.run(
            [environment("lerobot-v3") / "bin/python", HERE / "write_lerobot.py", mode, out, *episodes],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parent / "hf"), "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        said = json.loads(done.stdout.splitlines()[-1])
        return said["pictures"], said["seconds"]

    return run


def floor(video: str) -> Callable[[list[Path], Path], tuple[int, float]]:
    def run(episodes: list[Path], out: Path) -> tuple[int, float]:
        out.mkdir()
        began = time.perf_counter()
        with ProcessPoolExecutor(WORKERS) as pool:
            pictures = sum(pool.map(floor_of_one, [(video, path, out) for path in episodes]))
        return pictures, time.perf_counter() - began

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
    stream.codec_context.thread_count = 1
    decoder = av.CodecContext.create("mjpeg", "r")
    for number, data in enumerate(jpegs):
        frame = decoder.decode(av.Packet(data))[0].reformat(format="yuv420p")
        frame.pict_type, frame.pts, frame.time_base = 0, number, Fraction(1, fps)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def ours(video: str) -> Callable[[list[Path], Path], tuple[int, float]]:
    def run(episodes: list[Path], out: Path) -> tuple[int, float]:
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
        began = time.perf_counter()
        done = subprocess.run(
            [*map(str, command), "--workers", str(WORKERS), "--json"], stdout=subprocess.PIPE, check=True
        )
        seconds = time.perf_counter() - began
        with h5py.File(episodes[0]) as file:
            cameras = len(file.attrs["camera_names"])
        return json.loads(done.stdout)["frames"] * cameras, seconds

    return run


CONTENDERS: dict[str, Callable[[list[Path], Path], tuple[int, float]]] = {
    "LeRobot, default (AV1)": lerobot("av1"),
    "LeRobot, H.264": lerobot("h264"),
    "LeRobot, H.264 streaming": lerobot("streaming"),
    "floor, as shot": floor("as-shot"),
    "floor, H.264": floor("h264"),
    "station, as shot": ours("as-shot"),
    "station, H.264": ours("h264"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most", type=int, default=6, help="episodes")
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS))
    given = parser.parse_args()
    episodes = sorted(given.folder.glob("episode_*.hdf5"))[: given.most]
    given.work.mkdir(parents=True, exist_ok=True)
    rates: dict[str, list[float]] = {}
    sizes: dict[str, float] = {}
    for number in range(given.rounds):
        for name in given.only:
            out = given.work / f"set-{number}"
            pictures, seconds = CONTENDERS[name](episodes, out)
            rates.setdefault(name, []).append(pictures / seconds)
            videos = sum(path.stat().st_size for path in out.rglob("*.mp4"))
            sizes[name] = videos / pictures / 1000
            print(
                f"round {number}: {name}: {pictures} pictures, {seconds:.1f} s, {pictures / seconds:.0f}/s", flush=True
            )
            shutil.rmtree(out)
    print("\n| | pictures/s | KB/picture |\n|---|---|---|")
    for name, found in rates.items():
        print(f"| {name} | {statistics.median(found):.0f} ({min(found):.0f}–{max(found):.0f}) | {sizes[name]:.1f} |")
    ratios(rates)


def ratios(rates: dict[str, list[float]]) -> None:
    middle = {name: statistics.median(found) for name, found in rates.items()}
    asked = (
        ("station, as shot", "LeRobot, default (AV1)", 60.0), ("station, as shot", "LeRobot, H.264 streaming", 20.0),
        ("station, H.264", "LeRobot, default (AV1)", 8.0), ("station, H.264", "LeRobot, H.264 streaming", 3.5),
        ("station, H.264", "floor, H.264", 1 / 1.3), ("station, as shot", "floor, as shot", 1 / 2.5),
    )  # fmt: skip
    print()
    for one, other, least in asked:
        if one in middle and other in middle:
            print(f"{one} / {other}: {middle[one] / middle[other]:.2f} (asked: {least:.2f} or more)")


if __name__ == "__main__":
    main()
