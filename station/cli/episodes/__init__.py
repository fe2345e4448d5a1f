"""`station episodes …`: what was recorded, and whether it is whole.

A file that is wrong gets its own line, and never keeps the others from being listed. What a command leaves out it says, and exits 1.
"""

import typer

from station.cli.episodes import checking, editing, labelling, listing, showing, viewing

app = typer.Typer(no_args_is_help=True, help="List, check, label and hand out recorded episodes.")
app.command("ls")(listing.list_episodes)
app.command()(showing.show)
app.command()(checking.verify)
app.command()(checking.recover)
app.command()(labelling.label)
app.command()(editing.edit)
app.command()(labelling.delete)
app.command()(viewing.view)
