"""`station dataset …`: from recorded episodes to what trainers are given, and the episodes of a task as a whole."""

from station.cli.lazily import group

app = group(
    "Choose episodes, compare them, make training sets of them, verify these.",
    {
        "stats": "station.cli.dataset_stats:stats",
        "select": "station.cli.dataset_select:select",
        "export": "station.cli.dataset_export:export",
        "verify": "station.cli.dataset_export:verify",
        "diff": "station.cli.dataset_export:diff",
        "import": "station.cli.dataset_import:import_episodes",
        "formats": "station.cli.dataset_export:list_formats",
    },
)
