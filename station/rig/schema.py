"""The rig file as a JSON Schema, made of the structs: editors complete and check with it, by the file's first line.

It knows the drivers that are installed, somebody else's too: so `station rig new` writes the one of this computer.
"""

import ast
import inspect
import textwrap
from typing import Any

import msgspec

from station.rig import entries
from station.rig.file import RigFile, SideEntry

NAME = "rig-file.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def modeline(place: str) -> str:
    """The line that tells an editor: the first of a rig file."""
    return f"# yaml-language-server: $schema={place}\n"


def field_docs(struct: type) -> dict[str, str]:
    """What stands below each field of a struct in its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        text = below.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else None
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and text is not None:
            found[field.target.id] = " ".join(str(text.value).split())
    return found


def rig_schema() -> dict[str, Any]:
    """Of a whole rig file, with the keys of every driver that is installed."""
    drivers = {
        name: entries.load_class(point).Settings for name, point in sorted(entries.installed("station.drivers").items())
    }
    places = {f"driver_{name}": struct for name, struct in drivers.items()}
    (top, *_), found = msgspec.json.schema_components([RigFile, *places.values()], ref_template="#/$defs/{name}")
    for definition in found.values():  # as Python 3.13 has docstrings by itself
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    for struct in _structs([RigFile, *places.values()]):
        _describe(found[_name(struct, found)], struct)
    for (name, struct), place in zip(drivers.items(), places, strict=True):
        keys = dict(found[_name(struct, found)])
        keys["title"] = f"driver {name}"
        keys["properties"] = {"driver": {"const": name}, **keys["properties"]}
        keys["required"] = ["driver", *keys.get("required", [])]
        found[place] = keys
    headset, cameras, arms = _by_role(drivers)
    side = found[SideEntry.__name__]["properties"]
    for role in ("leader", "follower"):
        side[role] = _one_of(arms, side[role])
    own = found[RigFile.__name__]["properties"]
    own["cameras"]["additionalProperties"] = _one_of(cameras)
    own["vr"] = _one_of(headset, own["vr"])
    worlds = sorted(entries.installed("station.worlds"))
    own["world"] = {
        "type": "object", "properties": {"driver": {"enum": worlds}}, "required": ["driver"],
        "description": own["world"].get("description", ""),
    }  # fmt: skip
    return {"$schema": DIALECT, "title": "Rig file", **top, "$defs": found}


def encoded() -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(rig_schema(), order="deterministic"), indent=1) + b"\n"


def _by_role(drivers: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Drivers of headsets, cameras, arms, by the keys they ask for."""
    cameras = [name for name, struct in drivers.items() if "width" in struct.__struct_fields__]
    arms = [name for name, struct in drivers.items() if {"model", "rate_hz"} <= set(struct.__struct_fields__)]
    return [name for name in drivers if name not in (*cameras, *arms)], cameras, arms


def _one_of(drivers: list[str], before: dict[str, Any] | None = None) -> dict[str, Any]:
    said = {"description": before["description"]} if before and "description" in before else {}
    return {"anyOf": [{"$ref": f"#/$defs/driver_{name}"} for name in drivers], **said}


def _structs(kinds: list[Any]) -> list[Any]:
    """These and every struct in them."""
    found: dict[Any, None] = {}
    todo = list(kinds)
    while todo:
        kind = todo.pop()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in found:
                found[kind] = None
                todo += inspect.get_annotations(kind, eval_str=True).values()
        else:
            todo += getattr(kind, "__args__", ())
    return list(found)


def _name(struct: type, found: dict[str, Any]) -> str:
    """What msgspec calls it: its own name, or with its module's where another has it too."""
    names = [struct.__name__, f"{struct.__module__}.{struct.__qualname__}"]
    return next(name for name in names if name in found)


def _describe(schema: dict[str, Any], struct: Any) -> None:
    for name, text in field_docs(struct).items():
        if name in schema.get("properties", {}):
            schema["properties"][name]["description"] = text
