"""`station settings show`: what holds on this computer, and who says so."""

import msgspec
import typer

from station.errors import UsageError
from station.files import settings
from station.rig.choice import VARIABLE, choice
from station.rig.schema import field_docs
from station.terminal.screen import PlainConsole
from station.terminal.told import JsonOption, tell

app = typer.Typer(no_args_is_help=True, help="This computer's settings.")
console = PlainConsole()


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key."""

    key: str
    value: str | int
    said_by: str
    """The file, a variable, or the default."""
    what: str


class SettingsShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station settings show --json` tells."""

    file: str
    exists: bool
    settings: tuple[Setting, ...]


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Every key, its value, who says so, and what it is for."""
    told = _shown()
    if as_json:
        tell(told)
        return
    console.print(f"{told.file}{'' if told.exists else ' (not there: all is as shipped)'}")
    for setting in told.settings:
        value = setting.value if setting.value != "" else "–"
        console.print(f"{setting.key}: {value}    ({setting.said_by})")
        if setting.what:
            console.print(f"    {setting.what}")


def _shown() -> SettingsShown:
    loaded, given = settings.load(), settings.given()
    found = []
    for struct, values, keys, prefix in (
        (settings.Settings, loaded, given, ""),
        (settings.Console, loaded.console, given.get("console") or {}, "console."),
    ):
        docs = field_docs(struct)
        for name in struct.__struct_fields__:
            value = getattr(values, name)
            if not isinstance(value, msgspec.Struct):
                said_by = "settings file" if name in keys else "default"
                found.append(Setting(prefix + name, value, said_by, docs.get(name, "")))
    return SettingsShown(str(settings.path()), settings.path().exists(), tuple(_with_variable(found)))


def _with_variable(found: list[Setting]) -> list[Setting]:
    """`STATION_RIG` goes over the file."""
    try:
        chosen = choice()
    except UsageError:
        return found
    if chosen.chosen_by != VARIABLE:
        return found
    return [
        msgspec.structs.replace(each, value=chosen.name_or_path, said_by=VARIABLE) if each.key == "rig" else each
        for each in found
    ]
