"""What a check-in says once it is stored: the summary for the person and for the account's channel. Owns its words;
refuses to store anything.
"""

from __future__ import annotations

from commands.blocks.accounts import shown_name
from commands.blocks.checkins import People, short, who_words
from commands.kit import Json, clip, esc, message, section
from commands.slice import Message
from storage.accounts.accounts import AccountRow, find_account
from storage.accounts.contacts import get_contacts
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import get_workspace
from storage.success.checkin_writes import SOURCE
from storage.success.checkins import CheckinRow, find_checkin
from storage.success.metrics import name_metrics
from storage.success.risks import RiskRow, list_risks_of_checkin
from storage.success.targets import list_measurements_of, list_targets
from storage.success.tasks import TaskRow, list_tasks_of
from words.currencies import find_currency
from words.reader import Reader

_CHANGED_LENGTH = 600


def render_summary_of(reference: str, tx: Tx, reader: Reader) -> Message | None:
    """The message of a check-in in its account's channel, as it stands now."""
    row = find_checkin(tx, reference)
    account = find_account(tx, row.account_id) if row else None
    if row is None or account is None:
        return None
    if row.removed_at is not None:
        who = who_words(reader, get_members(tx, [row.author_id or ""]), row.author_id)
        name = f"*{shown_name(account)}*"
        return message(reader.say("⚪ {account}: the check-in by {who} was taken back", account=name, who=who))
    is_hiding = get_workspace(tx).is_hiding_amounts
    title, blocks = summarise(reader, tx, account, row, is_hiding_amounts=is_hiding)
    return message(title, *blocks)


def summarise(
    reader: Reader, tx: Tx, account: AccountRow, row: CheckinRow, *, is_hiding_amounts: bool = False
) -> tuple[str, list[Json]]:
    """The first line, and all there is to say as one section. `is_hiding_amounts`: money is not shown."""
    risks, steps = list_risks_of_checkin(tx, row.id), list_tasks_of(tx, SOURCE, row.id)
    ids = [row.author_id, *(each.owner_id for each in steps)]
    people = get_members(tx, [each for each in ids if each])
    title = _title(reader, account, row, people)
    lines = [
        _value_words(reader, tx, account, row, is_hiding_amounts=is_hiding_amounts),
        esc(clip(row.changed, _CHANGED_LENGTH)),
        *(_risk_words(reader, each) for each in risks),
        *(_step_words(reader, each, people) for each in steps),
        _contact_words(reader, tx, row),
    ]
    return title, [section("\n".join([title, *(line for line in lines if line)]))]


def _title(reader: Reader, account: AccountRow, row: CheckinRow, people: People) -> str:
    return reader.say(
        "{account}: check-in by {who}, {day} · pulse {pulse} of 5",
        account=f"*{shown_name(account)}*",
        who=who_words(reader, people, row.author_id),
        day=reader.date(row.happened_on),
        pulse=reader.number(row.pulse or 0),
    )


def _value_words(reader: Reader, tx: Tx, account: AccountRow, row: CheckinRow, *, is_hiding_amounts: bool) -> str:
    """The values in one line: "conversion 7.5 % · tickets 12"; money is only said to be logged where it is hidden."""
    values = list_measurements_of(tx, row.measurement_ids)
    units = {each.metric_key: each.unit for each in list_targets(tx, [account.id])}
    names = name_metrics(tx, {each.metric_key for each in values}, reader.locale)
    shown = []
    for each in values:
        unit = units.get(each.metric_key, "")
        value = _hidden(reader) if is_hiding_amounts and find_currency(unit) else reader.quantity(each.value, unit)
        shown.append(f"{esc(clip(names[each.metric_key], 80))} {value}")
    return " · ".join(shown)


def _hidden(reader: Reader) -> str:
    return reader.say("logged")


def _risk_words(reader: Reader, row: RiskRow) -> str:
    said = reader.say("Risk: {risk}", risk=short(row.text))
    return said + (f" · {short(row.plan)}" if row.plan else "")


def _step_words(reader: Reader, row: TaskRow, people: People) -> str:
    said = reader.say("Next: {step} · {who}", step=short(row.text), who=who_words(reader, people, row.owner_id))
    return said + (" · " + reader.say("by {day}", day=reader.date(row.due_on)) if row.due_on else "")


def _contact_words(reader: Reader, tx: Tx, row: CheckinRow) -> str:
    found = get_contacts(tx, [row.contact_id]) if row.contact_id else {}
    contact = found.get(row.contact_id or "")
    return reader.say("Spoken with {person}", person=short(contact.name)) if contact else ""
