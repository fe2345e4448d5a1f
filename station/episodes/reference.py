"""Prints docs/reference/episode-file.md from the table: `python -m docs.generate`."""

from collections.abc import Mapping

from station.episodes.layout import ATTRIBUTES, DATASETS, SYMBOLS, VERSION, Dataset, Group


def reference() -> str:
    """The page."""
    lines = [
        "# The episode file",
        "",
        "Printed from `station/episodes/layout.py` by `python -m docs.generate`; do not edit.",
        "",
        "`<data>/<task>/episode_<n>.hdf5`. `<camera>` and `<stream>` are node names: `cam_high`, `leader_left`; a depth",
        "camera's second stream is `<node>_depth`. All times are int64 nanoseconds of one clock; `start_ns` and",
        "`start_wall_ns` tie it to Unix time. In raw episodes colours are right in ACT and ACT++; JPEG episodes are right",
        "in openpi's converter, and ACT++'s plain `imdecode` reads them with red and blue swapped.",
        "",
        *(f"- **{symbol}**: {what}" for symbol, what in SYMBOLS.items()),
        "",
        "## Datasets",
        "",
        f"Of layout {VERSION}. What came later than 1 says so, and is not in older files. *From*: the field of the tick, of the row or of",
        "what the tick chose (`Tick`, `Row`, `Chosen` in [streams](streams.md)) whose value a row has; `sample` is the chosen sample",
        "itself. *Needed by*: whose loader cannot do without it.",
        "",
        "| path | type | shape | unit | from | needed by | what |",
        "|---|---|---|---|---|---|---|",
        *map(_row, DATASETS),
        "",
        "## Attributes",
        "",
        "| on | name | type | what |",
        "|---|---|---|---|",
        *(f"| `{a.on}` | `{a.name}` | {a.type} | {a.what}{_since(a.since)} |" for a in ATTRIBUTES),
        "",
    ]
    return "\n".join(lines)


_WHEN: Mapping[Group, str] = {
    "marks": "always",
    "always": "", "camera jpeg": " (images: jpeg)", "camera raw": " (images: raw)", "cameras jpeg": " (images: jpeg)",
    "stream": "", "depth": "", "extra": "",
}  # fmt: skip


def _row(d: Dataset) -> str:
    told = (
        f"`{d.path}`{_WHEN[d.per]}", d.dtype, _shape(d.shape), d.unit, f"`{d.value}`", ", ".join(d.trainers),
        d.what + (f"; counted in `{d.counted.attribute}`" if d.counted is not None else "") + _since(d.since),
    )  # fmt: skip
    return f"| {' | '.join(told)} |"


def _since(version: int) -> str:
    return f" (since layout {version})" if version > 1 else ""


def _shape(shape: tuple[str | int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
