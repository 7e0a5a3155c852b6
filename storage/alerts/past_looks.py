"""What earlier scans left of accounts, as far as the next one asks before it judges: which kinds looked at them, and
how one kind's condition stands over the whole workspace. Owns these lean reads; the conditions themselves are
`storage.alerts.conditions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlmodel import col

from rules.alerts.conditions import Topic
from rules.records import AlertKind, ConditionState
from storage.accounts.accounts import AccountRow, is_watched
from storage.alerts.conditions import ConditionRow
from storage.db import Tx


class Standing(NamedTuple):
    """A watched account of a country, and how one kind's condition about it stands (`state` None: never looked at).
    `opened_on` is when that last began firing.
    """

    account_id: str
    country: str
    state: ConditionState | None
    opened_on: date | None


def page_standings(tx: Tx, kind: AlertKind, after: str = "", limit: int = 1000) -> list[Standing]:
    """The next accounts that have a country, in order of their ids."""
    own = and_(
        col(ConditionRow.workspace_id) == tx.workspace_id,
        col(ConditionRow.account_id) == col(AccountRow.id),
        col(ConditionRow.rule) == kind,
        col(ConditionRow.subject) == "",
    )
    columns = (AccountRow.id, AccountRow.country, ConditionRow.state, ConditionRow.openings)
    query = (
        select(*map(col, columns))
        .select_from(AccountRow)
        .join(ConditionRow, own, isouter=True)
        .where(is_watched(tx), col(AccountRow.country) != "", col(AccountRow.id) > after)
        .order_by(col(AccountRow.id))
        .limit(limit)
    )
    return [
        Standing(id_, country, state, date.fromisoformat(openings[-1]) if openings else None)
        for id_, country, state, openings in tx.session.execute(query)
    ]


def list_known_kinds(tx: Tx, account_ids: Sequence[str]) -> dict[str, set[Topic]]:
    """Per account the kinds that looked at it before, as topics of the account itself: each keeps such a row."""
    query = select(col(ConditionRow.account_id), col(ConditionRow.rule), col(ConditionRow.subject)).where(
        col(ConditionRow.workspace_id) == tx.workspace_id,
        col(ConditionRow.account_id).in_(account_ids),
        col(ConditionRow.subject) == "",
    )
    found: dict[str, set[Topic]] = {}
    for account_id, kind, subject in tx.session.execute(query):
        found.setdefault(account_id, set()).add((kind, subject))
    return found
