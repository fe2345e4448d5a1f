"""`station episodes …`: what was recorded, and whether it is whole.

A file that is wrong gets its own line, and never keeps the others from being listed. What a command leaves out it says, and exits 1.
"""

from station.cli.lazily import group

app = group(
    "List, check, label, hand out and copy recorded episodes.",
    {
        "ls": "station.cli.episodes.listing:list_episodes",
        "show": "station.cli.episodes.showing:show",
        "verify": "station.cli.episodes.checking:verify",
        "recover": "station.cli.episodes.checking:recover",
        "label": "station.cli.episodes.labelling:label",
        "edit": "station.cli.episodes.editing:edit",
        "delete": "station.cli.episodes.labelling:delete",
        "view": "station.cli.episodes.viewing:view",
        "push": "station.cli.episodes.pushing:push",
        "retire": "station.cli.episodes.pushing:retire",
    },
)
