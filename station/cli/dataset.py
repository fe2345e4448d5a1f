"""`station dataset …`: the episodes of a task as a whole."""

import typer

from station.cli import dataset_stats

app = typer.Typer(no_args_is_help=True, help="Compare the episodes of a task.")


@app.callback()
def _dataset() -> None: ...


app.command()(dataset_stats.stats)
