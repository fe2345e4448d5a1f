"""Faults to plant in a dataset: each is given the dataset's folder and changes it."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def json_of(name: str, change: Callable[[Any], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / name).read_bytes())
        change(content)
        (folder / name).write_text(json.dumps(content))

    return apply


def parquet(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        pq.write_table(change(pq.read_table(folder / name)), folder / name)

    return apply


def values(column: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A column with other values, of the same type."""

    def apply(table: Any) -> Any:
        place = table.schema.get_field_index(column)
        others = change(table.column(column).to_pylist())
        return table.set_column(place, table.schema.field(column), pa.array(others, table.schema.field(column).type))

    return apply


def first_row(column: str, value: Any) -> Callable[[Any], Any]:
    return values(column, lambda values: [value, *values[1:]])


def swapped(one: str, other: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        kept = (folder / one).read_bytes()
        (folder / one).write_bytes((folder / other).read_bytes())
        (folder / other).write_bytes(kept)

    return apply


def packets(name: str, change: Callable[[list[bytes]], list[bytes]], rate: int = 50) -> Callable[[Path], None]:
    """The camera's JPEGs in another order or number."""

    def apply(folder: Path) -> None:
        with av.open(str(folder / name)) as file:
            stored = [bytes(packet) for packet in file.demux(video=0) if packet.size]
        with av.open(str(folder / name), "w") as file:
            stream = file.add_mux_stream("mjpeg", rate=rate, width=160, height=128)
            stream.time_base = Fraction(1, rate)
            for place, data in enumerate(change(stored)):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, rate), True
                packet.pts = packet.dts = place
                packet.duration = 1
                file.mux(packet)

    return apply


def encoded_as(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """The video with other pixels, well encoded."""

    def apply(folder: Path) -> None:
        with av.open(str(folder / name)) as file:
            pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        with av.open(str(folder / name), "w") as file:
            stream = file.add_stream("libx264", rate=50, options={"crf": "8"})
            stream.width, stream.height, stream.pix_fmt = 160, 128, "yuv420p"
            for picture in pictures:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(change(picture), "rgb24")))
            file.mux(stream.encode(None))

    return apply


def truncated(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-2000])

    return apply


def copied(name: str, to: str) -> Callable[[Path], None]:
    return lambda folder: shutil.copy(folder / name, folder / to)  # type: ignore[return-value]


def json_lines(name: str, change: Callable[[list[Any]], list[Any]]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        rows = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in change(rows)))

    return apply


def changed(rows: list[Any], place: int, **values: Any) -> list[Any]:
    """One row with other values."""
    return [{**row, **values} if at == place else row for at, row in enumerate(rows)]


def moved(rows: list[Any]) -> list[Any]:
    """Each in the place of the one before."""
    return [*rows[1:], rows[0]]
