"""The Home tab: what needs me, and the first of my accounts. Owns the page; each line is drawn by its subject."""

from __future__ import annotations

from commands.accounts.account_list import render_list
from commands.alerts.alert_views import list_blocks, load_views
from commands.kit import Json, context, divider, header
from commands.slice import Call, Home, Reply, Slice
from commands.typed import get_today
from rules.people.roles import Permission
from storage.alerts.alerts import count_open, list_open
from storage.db import Tx
from storage.people.workspaces import get_workspace

_ALERTS = 10


def show_home(call: Call, tx: Tx) -> list[Reply]:
    """The person's page as of now."""
    call.require(Permission.READ)
    reader = call.reader
    accounts = render_list(call, tx, "mine", 1, get_today(call, tx))
    blocks = [
        header(reader.say("What needs you")),
        *_alerts(call, tx),
        divider(),
        header(reader.say("Your accounts")),
        *_first_page(accounts.blocks),
        divider(),
        context(
            _place_words(call, tx),
            reader.say("`/cs help` shows all there is to type, `/cs list mine` all your accounts."),
        ),
    ]
    return [Home(tuple(blocks))]


def _first_page(blocks: tuple[Json, ...]) -> tuple[Json, ...]:
    """The lines of a list without the turning of its pages, which is done in `/cs list`; an empty list as it is."""
    lines = tuple(block for block in blocks if block["type"] == "section")
    return lines if any("accessory" in line for line in lines) else blocks


def _alerts(call: Call, tx: Tx) -> list[Json]:
    rows = list_open(tx, owner_id=call.person.id, limit=_ALERTS)
    if not rows:
        return [context(call.reader.say("Nothing right now: no open alert is yours."))]
    more = count_open(tx, owner_id=call.person.id) - len(rows)
    shown = list_blocks(call.reader, load_views(tx, call.reader, rows))
    if more > 0:
        shown.append(context(call.reader.say("and {count} more: `/cs alerts mine`", count=more)))
    return shown


def _place_words(call: Call, tx: Tx) -> str:
    channel = get_workspace(tx).team_channel_id
    if channel:
        return call.reader.say("Alerts of the team go to {channel}.", channel=f"<#{channel}>")
    return call.reader.say("No team channel is set yet: a lead can choose one with `/cs setup`.")


SLICE = Slice("home", home=show_home)
