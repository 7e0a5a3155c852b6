"""What an account's page says of our contact with it: pulse, last touch, open next steps and risks. Owns these blocks;
changes nothing.
"""

from __future__ import annotations

from datetime import date

from commands.blocks.checkins import pulse_words, risk_line, task_line
from commands.kit import Json, section
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members
from storage.success.checkins import latest_pulses
from storage.success.risks import count_risks, list_risks
from storage.success.tasks import count_tasks, page_tasks
from storage.success.touches import last_touches
from words.reader import Reader

_SHOWN = 3


def checkin_blocks(reader: Reader, tx: Tx, account: AccountRow, today: date) -> list[Json]:
    """Pulse and last touch, then up to three next steps and risks; none where nothing is known."""
    pulse, touched = latest_pulses(tx, [account.id]).get(account.id), last_touches(tx, [account.id]).get(account.id)
    words = [pulse_words(reader, *pulse)] if pulse else []
    if touched:
        words.append(reader.say("last touch {day}", day=reader.date(touched)))
    lines = [" · ".join(words), *_task_lines(reader, tx, account, today), *_risk_lines(reader, tx, account)]
    text = "\n".join(line for line in lines if line)
    return [section(text)] if text else []


def _task_lines(reader: Reader, tx: Tx, account: AccountRow, today: date) -> list[str]:
    rows = [row for row, _account in page_tasks(tx, account_id=account.id, limit=_SHOWN)]
    people = get_members(tx, [row.owner_id for row in rows if row.owner_id])
    lines = [reader.say("Next: {step}", step=task_line(reader, row, None, people, today)) for row in rows]
    more = count_tasks(tx, account_id=account.id) - len(rows) if len(rows) == _SHOWN else 0
    rest = reader.say_many("and {count} more next step: `/cs tasks`", "and {count} more next steps: `/cs tasks`", more)
    return [*lines, *([rest] if more > 0 else [])]


def _risk_lines(reader: Reader, tx: Tx, account: AccountRow) -> list[str]:
    rows = [row for row, _account in list_risks(tx, account_id=account.id, limit=_SHOWN)]
    people = get_members(tx, [row.owner_id for row in rows if row.owner_id])
    lines = [reader.say("Risk: {risk}", risk=risk_line(reader, row, None, people)) for row in rows]
    more = count_risks(tx, account_id=account.id) - len(rows) if len(rows) == _SHOWN else 0
    rest = reader.say_many("and {count} more risk: `/cs risks`", "and {count} more risks: `/cs risks`", more)
    return [*lines, *([rest] if more > 0 else [])]
