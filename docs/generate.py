"""Writes docs/reference from the tables and structs themselves: `python -m docs.generate`. A test checks it is current."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
import typer.main

from docs import dependencies, house
from station.borders import bounds
from station.bus import requests
from station.bus.actions import ACTIONS
from station.bus.keys import CLIENT
from station.bus.requests.time_outs import time_out_s
from station.bus.rights import who_may
from station.bus.streams import STREAMS
from station.cli import app
from station.cli.tells import TELLS, struct_of
from station.cli.tells import schema as tells_schema
from station.episodes.reference import reference
from station.rig import schema
from station.rig.file import Base, Board, Check, RigFile, Safety, SideEntry
from station.rig.rig import find_rig, load_class, load_rig
from station.rig.schema import field_docs
from station.runtime.processes import processes
from station.session.phases import TRANSITIONS

FOLDER = Path(__file__).parent / "reference"
TOLD_SCHEMA = "told.schema.json"
UNIONS = (
    requests.ArmRequest, requests.PilotRequest, requests.SyncRequest, requests.SessionRequest, requests.ControlRequest,
    requests.PolicyRequest,
    requests.SupervisorRequest, requests.SceneRequest,
)  # fmt: skip
"""Who is asked: a node serves one of these."""


def bounded_types(struct: type) -> dict[str, str]:
    """The types of its fields as the source has them: a bounded one by its name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(tree, ast.ClassDef)
    fields = (field for field in tree.body if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name))
    return {field.target.id: ast.unparse(field.annotation) for field in fields if isinstance(field.target, ast.Name)}


def bounds_table() -> Iterator[str]:
    """What the bounded types are."""
    yield "| type | is | of |\n|---|---|---|"
    for name, kind in vars(bounds).items():
        if get_origin(kind) is Annotated:
            of, meta = get_args(kind)
            limits = {"from": meta.ge, "to": meta.le, "longest": meta.max_length, "matches": meta.pattern}
            said = ", ".join(
                f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}"
                for word, value in limits.items()
                if value is not None
            )
            yield f"| `{name}` | `{of.__name__}` | {said} |"
    yield ""


def struct_table(struct: Any) -> Iterator[str]:
    """A struct as a Markdown table."""
    docs = field_docs(struct)
    defaults = dict(zip(reversed(struct.__struct_fields__), reversed(struct.__struct_defaults__), strict=False))
    yield "| field | type | default | |\n|---|---|---|---|"
    for name, encoded in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
        kind = inspect.formatannotation(struct.__annotations__.get(name, "")) or "see its parent"
        kind = bounded_types(struct)[name] if "Annotated" in kind else kind
        kind = re.sub(r"\b(station|drivers|typing)(\.\w+)*\.", "", kind)
        kind = kind.replace("pathlib._local.", "pathlib.")  # Python 3.13's own name of the module
        default = (
            f"`{defaults[name]!r}`" if name in defaults and "NODEFAULT" not in repr(defaults[name]) else "**required**"
        )
        default = "empty" if "factory" in default else default.replace("'", '"')
        said = f"`{name}`" if name == encoded else f"`{name}`, encoded `{encoded}`"
        yield f"| {said} | `{kind.replace('|', '¦')}` | {default} | {docs.get(name, '')} |"


def streams() -> Iterator[str]:
    """The table of what flows, and each body."""
    yield "# What flows\n\nFrom `station/bus/streams.py`. A topic is `<kind>/<node>/`; a message `[topic, header, body, *payload]`.\n"
    yield "| kind | body | rate Hz | in journals | what |\n|---|---|---|---|---|"
    for kind in STREAMS.values():
        rate = "as it comes" if kind.rate_hz is None else f"{kind.rate_hz:g}"
        row = (
            kind.name,
            f"`{kind.body.__name__}`",
            rate,
            "yes" if kind.journal else "no",
            kind.what,
        )
        yield f"| {' | '.join(row)} |"
    for body in dict.fromkeys(kind.body for kind in STREAMS.values()):
        yield f"\n## {body.__name__}\n\n{inspect.getdoc(body)}\n"
        yield from struct_table(body)


def asked() -> Iterator[str]:
    """Requests."""
    yield "# What may be asked\n\nFrom `station/bus/requests/`. The answer is `Done`, or `Refused` with the reason and the next act."
    yield "How long whoever asks waits for it stands in `time_outs.py` beside them.\n"
    yield "Types with bounds (`station/borders/bounds.py`); what lies beyond is refused before any node looks at it:\n"
    yield from bounds_table()
    for union in UNIONS:
        for struct in get_args(union):
            name = struct.__name__
            may = " or ".join("a client" if who == CLIENT else who for who in who_may(struct))
            within = f"Answered within {time_out_s(struct):g} s."
            yield f"## {name}\n\n{inspect.getdoc(struct)}\n\nAsked by {may}. {within}\n"
            if struct.__struct_fields__:
                yield from struct_table(struct)
            yield ""


def sitting() -> Iterator[str]:
    """Phases and actions of a sitting."""
    yield "# A sitting\n\nFrom `station/session/phases.py`: the phases, and what leads from one to the other.\n"
    yield "```mermaid\nstateDiagram-v2\n    [*] --> ended"
    for (phase, event), after in TRANSITIONS.items():
        yield f"    {phase} --> {after}: {event}"
    yield "```\n\n## Actions\n"
    yield "From `station/bus/actions.py`. One key may stand for several: the first that makes sense now is meant. `y` means yes where an"
    yield "action asks first, and so does the key that asked. *About*: what must still be as it was seen when it was asked for"
    yield "(the episode that is recorded or comes next, the newest finished or saved one, the hold); else it is refused.\n"
    yield (
        "| action | request | keys | pedal | headset | phases | needs | asks first | may move arms | about |\n"
        + "|---" * 10
        + "|"
    )
    for action in ACTIONS:
        asks = "pressed twice in the headset" if action.confirm == "headset" else ", ".join(action.confirm)
        row = (
            f"`{action.name}`: {action.label}", f"`{action.request.__name__}`", ", ".join(f"`{key}`" for key in action.keys),
            str(action.pedal or ""), action.headset, ", ".join(action.phases), ", ".join(action.needs), asks,
            "yes" if action.moves else "", action.about or "",
        )  # fmt: skip
        yield f"| {' | '.join(row)} |"


def runs() -> Iterator[str]:
    """The process table of a shipped rig."""
    yield "# What runs\n\nFrom `station/runtime/processes.py`, for the rig `aloha`. Stages stop in order, 0 first.\n"
    yield "| node | module | real-time priority | CPU budget % | stops in stage |\n|---|---|---|---|---|"
    for row in processes(load_rig(find_rig("aloha"))):
        yield f"| {row.node} | `{row.module}` | {row.realtime or '–'} | {row.cpu_percent:g} | {row.stage} |"


def rig_file() -> Iterator[str]:
    """The rig file's keys."""
    yield "# The rig file\n\nOne YAML file describes one robot set-up. Unknown keys are refused. `station/rigs/` has the shipped ones.\n"
    yield "`station rig check FILE` says everything that is wrong with one, by its lines. Editors with a YAML language server complete and"
    yield f"check it by the JSON Schema that its first line names ([{schema.NAME}]({schema.NAME}) here)."
    yield "**required** keys have no default.\n"
    for title, struct in (
        ("top level", RigFile),
        ("one side of `arms:`", SideEntry),
        ("base", Base),
        ("safety", Safety),
        ("check", Check),
        ("board", Board),
    ):
        yield f"## {title}\n"
        yield from struct_table(struct)
        yield ""
    for point in sorted(entry_points(group="station.drivers"), key=lambda point: point.name):
        settings = load_class(point.value).Settings
        yield f"## driver `{point.name}`\n\n{inspect.getdoc(settings)}\n"
        yield from struct_table(settings)
        yield ""


def commands() -> Iterator[str]:
    """Every command with its options."""
    yield "# The `station` command\n\nExit codes: 0 done, 1 failed with a reason, 2 bad usage.\n"
    root = typer.main.get_command(app)
    yield from _command("station", root)


def told() -> Iterator[str]:
    """What commands tell with `--json`."""
    yield "# What commands tell programs\n"
    yield "From `station/cli/tells.py`: with `--json` a command writes one JSON document to stdout, and nothing else there; words for"
    yield "people go to stderr, exit codes stay as they are. `check`, `bench` and `rig try` write to the file they are given; of"
    yield f"the first two `--json -` is stdout. The JSON Schema of every document is in [{TOLD_SCHEMA}]({TOLD_SCHEMA}),"
    yield "one property for each command.\n\n| command | tells |\n|---|---|"
    for command in TELLS:
        struct = struct_of(command)
        name, several = f"[{struct.__name__}](#{_anchor(struct)})", TELLS[command].endswith("[]")
        yield f"| `station {command}` | {f'a list of {name}' if several else name} |"
    for struct in dict.fromkeys(map(struct_of, TELLS)):
        yield f"\n## {struct.__name__}\n\n{inspect.getdoc(struct)}\n"
        yield from struct_table(struct)


def _anchor(struct: type) -> str:
    return struct.__name__.lower()


def told_schema() -> str:
    """Its JSON Schema."""
    return msgspec.json.format(msgspec.json.encode(tells_schema(), order="deterministic"), indent=1).decode() + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    if hasattr(command, "list_commands"):
        for child in command.list_commands(None):
            yield from _command(f"{name} {child}", command.get_command(None, child))
        return
    yield f"## {name}\n\n{(command.help or '').strip()}\n"
    for parameter in command.params:
        names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        yield f"- {names} {getattr(parameter, 'help', '') or ''}".rstrip()
    yield ""


PAGES = {
    "streams.md": streams, "requests.md": asked, "processes.md": runs, "session.md": sitting, "rig-file.md": rig_file,
    "commands.md": commands, "told.md": told, "dependencies.md": dependencies.page,
}  # fmt: skip


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {name: "\n".join(make()).rstrip() + "\n" for name, make in PAGES.items()} | {
        "episode-file.md": reference(),
        schema.NAME: schema.encoded().decode(),
        house.NAME: house.picture(),
        TOLD_SCHEMA: told_schema(),
    }


if __name__ == "__main__":
    for file, text in pages().items():
        (FOLDER / file).write_text(text)
