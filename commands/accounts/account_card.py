"""An account on one page: what `/cs show` says. Owns which facts stand where; refuses to change anything."""

from __future__ import annotations

from datetime import date

from commands.accounts.account_channel import channel_note
from commands.alerts.alert_views import list_blocks, load_views
from commands.blocks.accounts import headline, note_button, renewal_words
from commands.blocks.channels import place_words
from commands.blocks.checkins import checkin_button, risks_button, tasks_button
from commands.blocks.contacts import sponsor_line
from commands.blocks.health import factor_lines, health_line
from commands.blocks.journeys import journey_button
from commands.blocks.renewals import renewal_button
from commands.blocks.targets import add_target_button, log_button, show_target_button, target_lines
from commands.kit import Element, Json, actions, button, clip, context, divider, esc, message, overflow, section
from commands.renewals.renewal_card import renewal_blocks
from commands.slice import Message, Ref
from commands.success.checkin_card import checkin_blocks
from commands.success.journey_card import journey_blocks
from rules.success.targets import TargetFacts, assess
from storage.accounts.accounts import AccountRow
from storage.accounts.contacts import list_sponsors
from storage.alerts.alerts import count_open, list_open
from storage.db import Tx
from storage.health.health import HealthScoreRow, find_latest
from storage.people.members import get_members
from storage.renewals.contracts import list_contracts
from storage.success.metrics import name_metrics
from storage.success.targets import TargetRow, list_recent_measurements, list_target_facts
from words.reader import Reader

HEALTH = "accounts.health"
ALERTS = "accounts.alerts"
MORE = "accounts.more"
SHOW_CONTACTS, SHOW_TIMELINE, CHANGE, PUT_AWAY = "contacts", "timeline", "edit", "archive"
"""What the menu at the end of the card offers."""
TARGETS_SHOWN = 5
ALERTS_SHOWN = 3
_MEASUREMENTS_SHOWN = 3
_NOTE_LENGTH = 120

Known = list[tuple[TargetRow, TargetFacts]]


def render_card(reader: Reader, tx: Tx, account: AccountRow, today: date) -> Message:
    """Who it is, where its journey stands, targets with bars, health with factors, open alerts, how we are in touch,
    when it renews. Each part is short and capped, so that all of it is read on a phone and fits a message.
    """
    owner = get_members(tx, [account.owner_id]).get(account.owner_id) if account.owner_id else None
    head = headline(reader, account, owner)
    coming = renewal_blocks(reader, tx, account, today)
    known = list_target_facts(tx, [account.id], today).get(account.id, [])
    names = name_metrics(tx, {row.metric_key for row, _facts in known}, reader.locale)
    blocks = [
        section(head),
        *_people_blocks(reader, tx, account, today, is_renewal_told=bool(coming)),
        *_channel_blocks(reader, tx, account),
        *journey_blocks(reader, tx, account, today),
        divider(),
        *_target_blocks(reader, known, names, today),
        *_health_blocks(reader, find_latest(tx, account.id, today)),
        *_alert_blocks(reader, tx, account),
        *checkin_blocks(reader, tx, account, today),
        *coming,
        *_measurement_blocks(reader, tx, account, known, names, today),
        *_buttons(reader, account),
    ]
    return message(head, *blocks)


def _people_blocks(reader: Reader, tx: Tx, account: AccountRow, today: date, *, is_renewal_told: bool) -> list[Json]:
    """Since when they are a customer, the sponsor, and the dates of the contract unless a renewal of its own tells them
    further down.
    """
    since = reader.say("customer since {day}", day=reader.date(account.started_on)) if account.started_on else ""
    contracts = [] if is_renewal_told else list_contracts(tx, [account.id]).get(account.id, [])
    sponsor = sponsor_line(reader, list_sponsors(tx, [account.id]).get(account.id, []))
    lines = [line for line in (since, renewal_words(reader, contracts, today), sponsor) if line]
    return [context("\n".join(lines))] if lines else []


def _channel_blocks(reader: Reader, tx: Tx, account: AccountRow) -> list[Json]:
    """The account's own channel, where nothing is posted in it."""
    note = channel_note(reader, tx, account.channel_id)
    return [context(f"{place_words(account.channel_id)} · {esc(note)}")] if note else []


def _alert_blocks(reader: Reader, tx: Tx, account: AccountRow) -> list[Json]:
    rows = list_open(tx, account.id, limit=ALERTS_SHOWN)
    more = count_open(tx, account.id) - len(rows) if len(rows) == ALERTS_SHOWN else 0
    rest = [context(reader.say_many("and {count} more alert", "and {count} more alerts", more))] if more > 0 else []
    return [*list_blocks(reader, load_views(tx, reader, rows)), *rest]


def _target_blocks(reader: Reader, known: Known, names: dict[str, str], today: date) -> list[Json]:
    living = [(row, facts) for row, facts in known if not facts.is_replaced]
    if not living:
        return [section(reader.say("No targets yet: nobody can say what success is here."))]
    shown = [
        section(
            target_lines(reader, row, assess(facts, today), names[row.metric_key]),
            accessory=show_target_button(reader, row.id),
        )
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
    names = names | name_metrics(tx, {row.metric_key for row in rows} - names.keys(), reader.locale)
    lines = []
    for row in rows:
        value = reader.quantity(row.value, units.get(row.metric_key, ""))
        line = f"{reader.date(row.measured_on)}  {esc(names[row.metric_key])} {value}"
        lines.append(line + (f" — {esc(clip(row.note, _NOTE_LENGTH))}" if row.note else ""))
    return [context("\n".join([reader.say("Last values"), *lines]))] if lines else []


def _buttons(reader: Reader, account: AccountRow) -> list[Json]:
    """What is done every week, then what is looked up, then the rest in a menu."""
    ref, id_ = Ref("account", account.id), account.id
    return [
        actions(
            log_button(reader, id_, is_primary=True),
            checkin_button(reader, id_),
            journey_button(reader, id_),
            note_button(reader, id_),
            _more_menu(reader, id_),
        ),
        actions(
            add_target_button(reader, id_),
            renewal_button(reader, id_),
            tasks_button(reader, id_),
            risks_button(reader, id_),
            button(reader.say("Health"), HEALTH, ref),
            button(reader.say("Alerts"), ALERTS, ref),
        ),
    ]


def _more_menu(reader: Reader, account_id: str) -> Element:
    labels = {
        SHOW_CONTACTS: reader.say("Contacts"),
        SHOW_TIMELINE: reader.say("Timeline"),
        CHANGE: reader.say("Edit…"),
        PUT_AWAY: reader.say("Archive…"),
    }
    return overflow(MORE, [(Ref("account", account_id, {"do": do}).dump(), label) for do, label in labels.items()])
