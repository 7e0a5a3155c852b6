"""`milepost outbox`: what waits, what died, and what to do about it. Owns the tables, the questions and what is said;
which message may change how is `storage.delivery.stuck`'s.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.plain import plain
from bot.cli.workspaces import find_workspace
from bot.wiring import Wiring, wire
from rules.errors import UserError
from rules.records import Actor
from storage.delivery import stuck
from storage.delivery.backlog import read_backlog
from storage.delivery.outbox import OutboxRow
from storage.delivery.stuck import Wanted, list_beginning, list_rows

app = typer.Typer(help="Messages to Slack: list, show, send again, drop.", no_args_is_help=True)
_ACTOR = Actor("cli", "milepost outbox", "the command line")
_STATES = ("queued", "sending", "uncertain", "dead", "sent", "cancelled")
_OPEN = ("queued", "sending", "uncertain", "dead")
_NOTHING = 1

WorkspaceOption = Annotated[str, typer.Option("--workspace", help="Which workspace, by its id; default: the first.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ChannelOption = Annotated[str, typer.Option("--channel", help="Those of this channel (or person), by Slack's id.")]
AllOption = Annotated[bool, typer.Option("--all", help="All that could not be sent.")]
IdArgument = Annotated[str, typer.Argument(metavar="[ID]", help="A message's id, or its beginning.")]


@app.command("list")
def list_messages(
    *,
    state: Annotated[str, typer.Option(help="Only these: " + ", ".join(_STATES) + ".")] = "",
    channel: ChannelOption = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    is_json: JsonOption = False,
    workspace: WorkspaceOption = "",
) -> None:
    """Show messages that are not sent yet or could not be, oldest first."""
    if state and state not in _STATES:
        raise UserError("There is no state {state}. States: {states}.", state=state, states=", ".join(_STATES))
    wiring, workspace_id = _open(workspace)
    with wiring.database.reading(workspace_id) as tx:
        rows = list_rows(tx, states=[state] if state else _OPEN, channel=channel, limit=limit)
        backlog = read_backlog(tx)
    if is_json:
        typer.echo(json.dumps([_tell(row) for row in rows]))
        return
    console = Console(soft_wrap=True)
    if rows:
        console.print(_tabulate(rows))
    elif not state and not channel:
        console.print("Nothing is stuck.")
    else:
        console.print("There are no such messages.")
    console.print(f"{backlog.waiting} wait, {backlog.dead} could not be sent", highlight=False)


@app.command("show")
def show(row_id: IdArgument, *, is_json: JsonOption = False, workspace: WorkspaceOption = "") -> None:
    """Show all there is about one message."""
    wiring, workspace_id = _open(workspace)
    told = _tell(_find(wiring, workspace_id, row_id))
    if is_json:
        typer.echo(json.dumps(told))
        return
    table = Table(show_header=False, box=None)
    for name, value in told.items():
        table.add_row(name.replace("_", " "), plain(str(value)) if value not in {None, ""} else "–")
    Console(soft_wrap=True).print(table)


@app.command("requeue")
def requeue(
    row_id: IdArgument = "", *, channel: ChannelOption = "", is_all: AllOption = False, workspace: WorkspaceOption = ""
) -> None:
    """Send messages again that could not be sent. Exit code 1 if there is none."""
    _change("requeue", row_id, channel, workspace, is_all=is_all)


@app.command("drop")
def drop(
    row_id: IdArgument = "",
    *,
    channel: ChannelOption = "",
    is_all: AllOption = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = "",
) -> None:
    """Give messages up for good that could not be sent. Exit code 1 if there is none."""
    if not is_sure:
        typer.confirm("These messages will never be sent. Drop them?", abort=True)
    _change("drop", row_id, channel, workspace, is_all=is_all)


def _change(what: str, row_id: str, channel: str, workspace: str, *, is_all: bool) -> None:
    if sum((bool(row_id), bool(channel), is_all)) != 1:
        raise UserError("Say which: the id of a message, --channel, or --all.")
    wiring, workspace_id = _open(workspace)
    if row_id:
        row = _find(wiring, workspace_id, row_id)
        if row.state != "dead":
            said = "Message {id} is {state}: only one that could not be sent can be changed."
            raise UserError(said, id=row.id, state=row.state)
        row_id = row.id
    act = stuck.requeue if what == "requeue" else stuck.drop
    with wiring.database.writing(workspace_id) as tx:
        count = act(tx, Wanted(row_id=row_id, channel=channel), _ACTOR, wiring.clocks.business())
    done = "to be sent again" if what == "requeue" else "dropped"
    Console(soft_wrap=True).print(f"{count} {'message' if count == 1 else 'messages'} {done}.", highlight=False)
    if not count:
        raise typer.Exit(_NOTHING)


def _open(workspace: str) -> tuple[Wiring, str]:
    wiring = wire()
    return wiring, find_workspace(wiring, workspace)[0]


def _find(wiring: Wiring, workspace_id: str, wanted: str) -> OutboxRow:
    with wiring.database.reading(workspace_id) as tx:
        found = list_beginning(tx, wanted)
    if not found:
        raise UserError("There is no message {id}. See milepost outbox list.", id=wanted)
    if len(found) > 1:
        raise UserError("Several messages begin with {id}: type more of it.", id=wanted)
    return found[0]


def _tell(row: OutboxRow) -> dict[str, object]:
    """A row as JSON-able values, the telling ones first."""
    names = ("id", "state", "channel", "kind", "reference", "is_update", "error", "attempts", "priority", "seq")
    places = ("dedupe_key", "instead_of", "thread_kind", "thread_reference", "posted_channel", "slack_ts")
    moments = ("created_at", "not_before", "first_tried_at", "uncertain_since", "sent_at")
    told: dict[str, object] = {name: getattr(row, name) for name in (*names, *places)}
    return told | {name: at.isoformat() if (at := getattr(row, name)) else None for name in moments}


def _tabulate(rows: list[OutboxRow]) -> Table:
    table = Table("id", "state", "channel", "what", "since", "tries", "why")
    for row in rows:
        what = f"{row.kind} (update)" if row.is_update else row.kind
        told = (row.id[:12], row.state, row.channel, what, f"{row.created_at:%Y-%m-%d %H:%M}", str(row.attempts))
        table.add_row(*map(plain, told), plain(row.error))
    return table
