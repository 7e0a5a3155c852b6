"""One account's health on one page: the score, what moved it, its factors, its curve. Owns which facts stand where;
refuses to compute any (`rules.health.health`, the score job).
"""

from __future__ import annotations

from datetime import date, timedelta

from commands.blocks.accounts import shown_name
from commands.blocks.health import change_lines, factor_lines, health_line, sparkline, weekly
from commands.kit import context, message, section
from commands.slice import Message
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.health.health import HealthScoreRow, find_latest, list_scores
from words.reader import Reader

CHANGE_DAYS = 14
CURVE_WEEKS = 12


def render_health(reader: Reader, tx: Tx, account: AccountRow, today: date) -> Message:
    """Score, change with its reasons, factors with their facts, and the curve of twelve weeks."""
    row = find_latest(tx, account.id, today)
    if row is None:
        text = reader.say(
            "{account} has no health score yet. The first comes with the next daily run, from what is imported: "
            "usage, contracts, tickets, targets.",
            account=f"*{shown_name(account)}*",
        )
        return message(text)
    previous = _find_previous(tx, row)
    head = f"*{shown_name(account)}*  {health_line(reader, row, previous)}"
    blocks = [section("\n".join([head, *(change_lines(reader, previous, row) if previous else [])]))]
    if factors := factor_lines(reader, row):
        blocks.append(section("\n".join(factors)))
    blocks.append(context(_curve(reader, tx, row), reader.say("as of {day}", day=reader.date(row.day, today=today))))
    return message(head, *blocks)


def _find_previous(tx: Tx, row: HealthScoreRow) -> HealthScoreRow | None:
    """The score two weeks before, or of up to two weeks before that where there is none."""
    found = find_latest(tx, row.account_id, row.day - timedelta(CHANGE_DAYS))
    return found if found and found.day >= row.day - timedelta(2 * CHANGE_DAYS) else None


def _curve(reader: Reader, tx: Tx, row: HealthScoreRow) -> str:
    scores = list_scores(tx, row.account_id, row.day - timedelta(7 * CURVE_WEEKS - 1), row.day)
    weeks = reader.span(7 * CURVE_WEEKS)
    return reader.say("{curve}  {span}", curve=sparkline(weekly(scores, row.day, CURVE_WEEKS)), span=weeks)
