"""The TABLE of what commands tell with `--json`: command → `module:struct`, a list of them where `[]` stands behind it.

docs/reference/told.md and told.schema.json derive from it; tests/docs/test_told.py holds that every command that tells something is in it.
"""

import importlib
import inspect
from pathlib import Path
from typing import Any

import msgspec

TELLS = {
    "rig ls": "station.cli.rig:RigList",
    "rig check": "station.cli.rig:RigChecked",
    "rig show": "station.cli.rig:RigShown",
    "rig try": "station.files.check_results:CheckResult",
    "settings show": "station.cli.settings:SettingsShown",
    "find": "station.rig.discovery:Discovered",
    "up": "station.bus.messages:StationState",
    "status": "station.bus.messages:StationState",
    "stop": "station.cli.status:Stopped",
    "logs": "station.cli.logs:LogsTold",
    "report": "station.cli.report:ReportTold",
    "check": "station.files.check_results:CheckResult",
    "bench": "station.bench.figures:Figures",
    "vr": "station.devices.headset:Pairing",
    "vr --measure": "station.cli.vr:Latency",
    "console link": "station.cli.console:LinkTold",
    "console ls": "station.cli.console:SeatTold[]",
    "policy show": "station.policy.folder:Policy",
    "policy bench": "station.policy.bench:PolicyBench",
    "policy bench --rig": "station.cli.policy_on_rig:OnRig",
    "episodes ls": "station.cli.episodes.answers:Listing",
    "episodes show": "station.cli.episodes.showing:Shown",
    "episodes verify": "station.cli.episodes.answers:Verified[]",
    "episodes recover": "station.episodes.recover:Recovered[]",
    "episodes view": "station.cli.episodes.answers:Viewed",
    "episodes push": "station.cli.episodes.answers:PushTold",
    "episodes retire": "station.cli.episodes.answers:RetireTold",
    "dataset stats": "station.datasets.stats:Stats[]",
    "dataset select": "station.cli.dataset_select:Selected",
    "dataset export": "station.cli.dataset_export:Exported",
    "dataset verify": "station.cli.dataset_export:DatasetVerified",
    "dataset diff": "station.cli.dataset_export:Differences",
    "dataset import": "station.cli.dataset_import:ImportTold",
    "dataset formats": "station.cli.dataset_export:FormatTold[]",
}
"""An option behind a command's name: with it, it tells that instead."""


def told_by(command: str) -> Any:
    """The type of its document."""
    struct: Any = struct_of(command)
    return list[struct] if TELLS[command].endswith("[]") else struct


def struct_of(command: str) -> Any:
    """The struct of its document, or of each in its list."""
    module, _, name = TELLS[command].partition(":")
    return getattr(importlib.import_module(module), name.removesuffix("[]"))


def schema() -> dict[str, Any]:
    """One JSON Schema: a property for each command, whose value is what it tells."""
    commands = list(TELLS)
    each, definitions = msgspec.json.schema_components(
        [told_by(command) for command in commands], schema_hook=_paths_are_text, ref_template="#/$defs/{name}"
    )
    for definition in definitions.values():  # as Python 3.13 has docstrings by itself
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `station COMMAND --json` tells",
        "type": "object",
        "properties": dict(zip(commands, each, strict=True)),
        "additionalProperties": False,
        "$defs": definitions,
    }


def _paths_are_text(kind: type) -> dict[str, Any]:
    if issubclass(kind, Path):
        return {"type": "string"}
    raise NotImplementedError
