"""The TABLE of commands: what `station` knows by name, and where each is. A command's module is imported when it is typed.

`station --help` is made of this table alone, so that it is there at once, on one small screen.
"""

from typing import NamedTuple

OTHERS = ""
"""Another room's command, or another package's: found by the entry point group `station.commands`."""


class Topic(NamedTuple):
    """Commands that belong together."""

    help: str
    where: dict[str, str]
    """Name → `module:attribute`, a function or a typer app."""


TOPICS = (
    Topic("A simulated rig, real episodes: needs nothing.", {"demo": "station.cli.demo:demo"}),
    Topic(
        "Rig files, and this computer's settings.",
        {"rig": "station.cli.rig:app", "settings": "station.cli.settings:app"},
    ),
    Topic(
        "What is plugged in; stable names; start at boot.",
        {"find": "station.cli.find:find", "udev": "station.cli.find:udev", "service": "station.cli.service:app"},
    ),
    Topic(
        "Start the station, look at it, stop it: arms hold.",
        {"up": "station.cli.status:up", "status": "station.cli.status:status", "stop": "station.cli.status:down"},
    ),
    Topic(
        "What the nodes said; a file for whoever helps.",
        {"logs": "station.cli.logs:logs", "report": "station.cli.report:report"},
    ),
    Topic(
        "Go or no-go; measure the rig; measure this computer.",
        {"check": OTHERS, "calibrate": OTHERS, "bench": "station.cli.bench:bench"},
    ),
    Topic(
        "Demonstrations; without recording; pedal, headset.",
        {
            "record": "station.cli.record:record",
            "teleop": "station.cli.record:teleop",
            "pedal": "station.cli.operator.learn:pedal",
            "vr": "station.cli.vr:vr",
        },
    ),
    Topic("The rig in a browser: who may see it, and act.", {"console": "station.cli.console:app"}),
    Topic(
        "Policies: let one command, judge them, look at them.",
        {"run": "station.cli.run:run", "eval": "station.cli.evaluate:evaluate", "policy": "station.cli.policy:app"},
    ),
    Topic(
        "An episode again; arms to sleep; what stopped an arm.",
        {
            "replay": "station.cli.motion:replay",
            "park": "station.cli.motion:park",
            "recover": "station.cli.motion:recover",
        },
    ),
    Topic(
        "What was recorded: look, label, mend; training sets.",
        {"episodes": "station.cli.episodes:app", "dataset": "station.cli.dataset:app"},
    ),
)

COMMANDS: dict[str, str] = {name: where for topic in TOPICS for name, where in topic.where.items()}
