"""Alerts with the account, the people and the contract their messages name. Owns looking these up, for one alert or a
page of them in a fixed number of queries, and the renders the outbox calls; refuses to lay out
(`commands.blocks.alerts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from commands.blocks.accounts import find_next_renewal, list_worth
from commands.blocks.alert_looks import AlertView
from commands.blocks.alerts import alert_line, open_button, render_alert, render_event
from commands.kit import Json, context, esc, mention, message, section
from commands.slice import Message
from rules.alerts.announcements import FIRST_LOOK, find_season
from storage.accounts.accounts import get_accounts
from storage.alerts.alerts import AlertEventRow, EpisodeRow, find_episode, find_event
from storage.alerts.announcements import list_of_summary, list_told_with
from storage.db import Tx
from storage.people.members import get_members
from storage.renewals.contracts import ContractRow, list_contracts
from storage.success.checkins import latest_pulses
from words.reader import Reader

LINES = 20
"""Lines of a list in one message: each is a block with a button, and Slack takes 50 blocks."""


def load_views(tx: Tx, reader: Reader, rows: Sequence[EpisodeRow]) -> list[AlertView]:
    """The alerts with all that their messages name, in four queries; those of accounts that are gone are left out."""
    ids = sorted({row.account_id for row in rows})
    accounts, contracts = get_accounts(tx, ids), list_contracts(tx, ids)
    owners = {row.id: row.owner_id or accounts[row.account_id].owner_id for row in rows if row.account_id in accounts}
    others = [who for row in rows for who in (row.taken_by, row.closed_by, row.told_id, *_list_changers(row))]
    people, pulses = get_members(tx, filter(None, [*owners.values(), *others])), latest_pulses(tx, ids)
    return [
        AlertView(
            row,
            accounts[row.account_id],
            people.get(owners[row.id] or ""),
            people.get(row.taken_by or ""),
            people.get(row.closed_by or ""),
            _find_renewal_day(contracts.get(row.account_id, ()), row.opened_at.date()),
            " + ".join(list_worth(reader, contracts.get(row.account_id, ()), row.opened_at.date())),
            pulses.get(row.account_id),
            {id_: people[id_] for id_ in _list_changers(row) if id_ in people},
            people.get(row.told_id or ""),
        )
        for row in rows
        if row.account_id in accounts
    ]


def _list_changers(row: EpisodeRow) -> list[str]:
    """Who had changed the rule when the alert was raised."""
    return [str(each["by"]) for each in row.facts.get("adjusted", [])]


def find_view(tx: Tx, reader: Reader, episode_id: str) -> AlertView | None:
    """One alert with all that its message names."""
    row = find_episode(tx, episode_id)
    return next(iter(load_views(tx, reader, [row])), None) if row else None


def render_alert_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The message of the alert `reference`."""
    view = find_view(tx, reader, reference)
    if view is None:
        return None
    others = load_views(tx, reader, list_told_with(tx, view.row.id))
    return _with_others(reader, render_alert(reader, view), others) if others else render_alert(reader, view)


def _with_others(reader: Reader, said: Message, others: Sequence[AlertView]) -> Message:
    """The message with the other alerts of the account that were told in it, as far as they are open."""
    left = [each for each in others if each.row.closed_at is None][:LINES]
    if not left:
        return said
    title = section(f"*{reader.say('Also of this account')}*")
    more = reader.say_many("and {count} more of this account", "and {count} more of this account", len(left))
    return Message(f"{said.text} · {more}", (*said.blocks, title, *list_blocks(reader, left)))


def render_summary_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The message of many alerts announced together, as they stand now."""
    rows = list_of_summary(tx, reference)
    views = load_views(tx, reader, rows[:LINES])
    if not views:
        return None
    title = _summary_title(reader, rows)
    more = len(rows) - LINES
    rest = [context(reader.say("and {count} more: `/cs alerts`", count=reader.number(more)))] if more > 0 else []
    return message(title, section(f"*{title}*"), *list_blocks(reader, views), *rest)


def render_event_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """One line of an alert's history, for its thread."""
    line = find_event(tx, reference)
    if line is None:
        return None
    called = _list_called(line)
    people = {id_: mention(row.slack_id) for id_, row in get_members(tx, [line.actor_id, *called]).items()}
    return render_event(reader, line, people.get(line.actor_id, ""), ", ".join(filter(None, map(people.get, called))))


def _list_called(line: AlertEventRow) -> list[str]:
    """Members whom a line calls: the new owner, or who is told that nobody took it."""
    if line.verb == "assigned":
        return [str(line.after.get("owner_id") or "")]
    is_reminder = line.verb == "escalated" and line.after.get("escalated_to") == 1
    return list(line.after["escalation"][1].get("told", ())) if is_reminder else []


def list_blocks(reader: Reader, views: Sequence[AlertView]) -> list[Json]:
    """A line per alert, with a button that opens it."""
    return [
        section(alert_line(reader, each, is_listed=True), accessory=open_button(reader, each.row.id)) for each in views
    ]


def _summary_title(reader: Reader, rows: Sequence[EpisodeRow]) -> str:
    batch, count = rows[0].batch, len(rows)
    if country := find_season(batch):
        return reader.say_many(
            "{count} account in {country} dropped with the others: a season rather than an alarm",
            "{count} accounts in {country} dropped together: a season rather than an alarm",
            count,
            country=esc(country),
        )
    if batch == FIRST_LOOK:
        return reader.say_many(
            "A first look: {count} alert to begin with", "A first look: {count} alerts to begin with", count
        )
    return reader.say_many("{count} new alert", "{count} new alerts at once", count)


def _find_renewal_day(contracts: Sequence[ContractRow], today: date) -> date | None:
    renewal = find_next_renewal(contracts, today)
    return renewal.ends_on if renewal else None
