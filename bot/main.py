"""`milepost`: the command line. Owns the list of commands and how an error on purpose is shown."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from bot.cli import databases, outbox
from bot.cli.doctor import doctor
from bot.cli.imports import import_file
from bot.cli.jobs import job
from bot.cli.manifest import manifest
from bot.cli.run import run
from bot.demo.command import demo
from rules.errors import MilepostError

app = typer.Typer(
    name="milepost",
    help="A Slack bot that keeps each customer's success journey and walks the team to the renewal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(demo)
app.command("import")(import_file)
app.command()(job)
app.command()(manifest)
app.command()(doctor)
app.add_typer(databases.app, name="db")
app.add_typer(outbox.app, name="outbox")


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors on purpose become one line on standard error and exit code 2."""
    try:
        app(args=arguments)
    except MilepostError as error:
        Console(stderr=True, soft_wrap=True).print(f"milepost: {error}", highlight=False, markup=False)
        sys.exit(2)
