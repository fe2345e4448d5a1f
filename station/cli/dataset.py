"""`station dataset …`: from recorded episodes to what trainers are given, and the episodes of a task as a whole."""

import typer

from station.cli import dataset_export, dataset_select, dataset_stats

app = typer.Typer(no_args_is_help=True, help="Choose episodes, compare them, make training sets of them, verify these.")

app.command()(dataset_stats.stats)
app.command()(dataset_select.select)
app.command()(dataset_export.export)
app.command()(dataset_export.verify)
app.command()(dataset_export.diff)
app.command("formats")(dataset_export.list_formats)
