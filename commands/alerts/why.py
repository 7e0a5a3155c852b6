"""Why an alert fired: `/cs alerts why ACCOUNT`, its button and its entry in the three-dots menu. Owns what is looked up
for it; refuses to lay it out (`commands.blocks.alert_why`).
"""

from __future__ import annotations

from commands.alerts.alert_acts import get_view
from commands.alerts.alert_views import load_views
from commands.blocks.accounts import shown_name
from commands.blocks.alert_looks import AlertView
from commands.blocks.alert_why import Case, render_why
from commands.blocks.alerts import alert_line
from commands.kit import button, context, mention, message, section
from commands.naming import resolve_account
from commands.slice import Button, Call, FormView, OpenForm, Ref, Reply, Whisper
from rules.errors import UserError
from rules.people.roles import Permission
from storage.alerts.alerts import count_open, list_closed, list_history, list_open
from storage.alerts.conditions import list_conditions
from storage.db import Tx
from storage.people.members import get_members

WHY, WHY_FORM = "alerts.why", "alerts.why_form"
_MOST = 20


def show_why(call: Call, tx: Tx, words: str) -> list[Reply]:
    """The calculation of the account's open alert, or of the last one it had; where there are several, a choice."""
    call.require(Permission.READ)
    account, _rest = resolve_account(call, tx, words)
    rows = list_open(tx, account.id, limit=_MOST) or list_closed(tx, account.id, limit=1)
    if not rows:
        raise UserError("{name} never had an alert. What would be one: `/cs alerts rules`.", name=account.name)
    views = load_views(tx, call.reader, rows)
    if len(views) == 1:
        return [OpenForm(why_form(call, tx, views[0]))]
    title = call.reader.say("*{name}*: which alert?", name=shown_name(account))
    lines = [
        section(
            alert_line(call.reader, each, is_listed=True),
            accessory=button(call.reader.say("Why?"), WHY, Ref("episode", each.row.id)),
        )
        for each in views
    ]
    more = count_open(tx, account.id) - len(views)
    rest = [context(call.reader.say("and {count} more: `/cs alerts`", count=call.reader.number(more)))]
    return [Whisper(message(title, section(title), *lines, *(rest if more > 0 else ())))]


def open_why(call: Call, tx: Tx) -> list[Reply]:
    """The button beside an alert."""
    return [OpenForm(why_form(call, tx, get_view(call, tx)))]


def why_form(call: Call, tx: Tx, view: AlertView) -> FormView:
    """The whole calculation, to read."""
    row, history = view.row, list_history(tx, view.row.id)
    people = get_members(tx, [line.actor_id for line in history])
    names = {id_: mention(member.slack_id) for id_, member in people.items()}
    condition = list_conditions(tx, [row.account_id]).get(row.account_id, {}).get((row.kind, row.subject))
    blocks = render_why(call.reader, Case(view, condition, history, names))
    return FormView(WHY_FORM, call.reader.say("Why this alert?"), tuple(blocks))


BUTTONS = (Button(WHY, open_why, "reads"),)
