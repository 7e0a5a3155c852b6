"""An account on one page: what `/cs show` says. Owns which facts stand where; refuses to change anything."""

from __future__ import annotations

from datetime import date

from commands.alerts.alert_views import list_blocks, load_views
from commands.blocks.accounts import EDIT, headline, renewal_words
from commands.blocks.health import factor_lines, health_line
from commands.blocks.targets import add_target_button, log_button, target_lines
from commands.kit import Json, actions, button, clip, context, divider, esc, message, section
from commands.slice import Message, Ref
from rules.success.targets import TargetFacts, assess
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import list_open
from storage.db import Tx
from storage.health.health import HealthScoreRow, find_latest
from storage.people.members import get_members
from storage.renewals.contracts import list_contracts
from storage.success.metrics import name_metrics
from storage.success.targets import TargetRow, list_recent_measurements, list_target_facts
from words.reader import Reader

HEALTH = "accounts.health"
ALERTS = "accounts.alerts"
TARGETS_SHOWN = 8
ALERTS_SHOWN = 3
_MEASUREMENTS_SHOWN = 3
_NOTE_LENGTH = 120

Known = list[tuple[TargetRow, TargetFacts]]


def render_card(reader: Reader, tx: Tx, account: AccountRow, today: date) -> Message:
    """Who it is, when it renews, targets with bars, health with factors, open alerts, the last values."""
    owner = get_members(tx, [account.owner_id]).get(account.owner_id) if account.owner_id else None
    head = headline(reader, account, owner)
    dates = renewal_words(reader, list_contracts(tx, [account.id]).get(account.id, []), today)
    known = list_target_facts(tx, [account.id], today).get(account.id, [])
    names = name_metrics(tx, {row.metric_key for row, _facts in known})
    blocks = [
        section(head),
        *([context(dates)] if dates else []),
        divider(),
        *_target_blocks(reader, known, names, today),
        *_health_blocks(reader, find_latest(tx, account.id, today)),
        *list_blocks(reader, load_views(tx, reader, list_open(tx, account.id, limit=ALERTS_SHOWN))),
        *_measurement_blocks(reader, tx, account, known, names, today),
        _buttons(reader, account),
    ]
    return message(head, *blocks)


def _target_blocks(reader: Reader, known: Known, names: dict[str, str], today: date) -> list[Json]:
    living = [(row, facts) for row, facts in known if not facts.is_replaced]
    if not living:
        return [section(reader.say("No targets yet: nobody can say what success is here."))]
    shown = [
        section(target_lines(reader, row, assess(facts, today), names[row.metric_key]))
        for row, facts in living[:TARGETS_SHOWN]
    ]
    more = len(living) - TARGETS_SHOWN
    return shown + ([context(reader.say_many("and {count} more", "and {count} more", more))] if more > 0 else [])


def _health_blocks(reader: Reader, row: HealthScoreRow | None) -> list[Json]:
    lines = [health_line(reader, row), *(factor_lines(reader, row) if row else [])]
    return [section("\n".join(lines))]


def _measurement_blocks(
    reader: Reader, tx: Tx, account: AccountRow, known: Known, names: dict[str, str], today: date
) -> list[Json]:
    units = {row.metric_key: row.unit for row, _facts in known}
    rows = list_recent_measurements(tx, account.id, today, _MEASUREMENTS_SHOWN)
    names = names | name_metrics(tx, {row.metric_key for row in rows} - names.keys())
    lines = []
    for row in rows:
        value = reader.quantity(row.value, units.get(row.metric_key, ""))
        line = f"{reader.date(row.measured_on)}  {esc(names[row.metric_key])} {value}"
        lines.append(line + (f" — {esc(clip(row.note, _NOTE_LENGTH))}" if row.note else ""))
    return [context("\n".join([reader.say("Last values"), *lines]))] if lines else []


def _buttons(reader: Reader, account: AccountRow) -> Json:
    ref = Ref("account", account.id)
    return actions(
        log_button(reader, account.id, is_primary=True),
        add_target_button(reader, account.id),
        button(reader.say("Health"), HEALTH, ref),
        button(reader.say("Alerts"), ALERTS, ref),
        button(reader.say("Edit"), EDIT, ref),
    )
