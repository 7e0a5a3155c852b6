"""Which alerts still have to be announced, and that they were. Owns the flag on the alert, set together with its outbox
row; refuses to choose channels (`pipeline.announcing`) and words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.alerts.announcements import Announcement
from rules.records import Enqueue, EpisodeState, Severity
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import MESSAGE, SUMMARY, EpisodeRow, responsible
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.people.members import MemberRow
from storage.types import new_id

_PRIORITY = 5
_PAGE = 500


class Unannounced(NamedTuple):
    """An alert nobody was told of, with every place it could be told in ("" or None where there is none)."""

    episode_id: str
    severity: Severity
    level: float
    batch: str
    account_channel: str
    owner_slack_id: str | None


def list_unannounced(tx: Tx) -> list[Unannounced]:
    """Every open alert that waits to be announced, of all accounts, in one query."""
    owner = responsible() == col(MemberRow.id)
    columns = (
        *map(col, (EpisodeRow.id, EpisodeRow.severity, EpisodeRow.level, EpisodeRow.batch, AccountRow.channel_id)),
        col(MemberRow.slack_id),
    )
    rows = tx.session.execute(
        select_columns(*columns)
        .select_from(EpisodeRow)
        .join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
        .join(MemberRow, and_(owner, col(MemberRow.workspace_id) == tx.workspace_id), isouter=True)
        .where(col(AccountRow.workspace_id) == tx.workspace_id, _is_waiting(tx))
        .order_by(col(EpisodeRow.id))
    )
    return [Unannounced(*row) for row in rows]


def apply_announcement(tx: Tx, announcement: Announcement, now: datetime) -> int:
    """Announce those of the alerts that still wait; returns how many. The flags and the outbox rows commit together, so
    that a crash neither loses nor doubles them.
    """
    epochs = _lock(tx, announcement.episode_ids)
    if not epochs:
        return 0
    summary_id = new_id() if announcement.is_summary else ""
    told = {"announced_at": now, "channel_id": announcement.channel, "summary_id": summary_id}
    for page in _pages(list(epochs)):
        own = (col(EpisodeRow.workspace_id) == tx.workspace_id, col(EpisodeRow.id).in_(page))
        tx.session.execute(update(EpisodeRow).where(*own).values(**told))
    enqueue(tx, _posts(epochs, announcement.channel, summary_id), now)
    return len(epochs)


def list_of_summary(tx: Tx, summary_id: str) -> list[EpisodeRow]:
    """The alerts of a summary, the most urgent first as they were announced."""
    query = select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id, EpisodeRow.summary_id == summary_id)
    rows = list(tx.session.exec(query))
    return sorted(rows, key=lambda row: (-list(Severity).index(row.severity), -row.level, row.id))


def _posts(epochs: Mapping[str, int], channel: str, summary_id: str) -> list[Enqueue]:
    if summary_id:
        return [Enqueue(SUMMARY, summary_id, channel, f"{SUMMARY}:{summary_id}", priority=_PRIORITY)]
    return [
        Enqueue(MESSAGE, id_, channel, f"{MESSAGE}:{id_}:{epoch}", priority=_PRIORITY) for id_, epoch in epochs.items()
    ]


def _lock(tx: Tx, episode_ids: Sequence[str]) -> dict[str, int]:
    """The epochs of those that still wait, by id, in the order given."""
    found: dict[str, int] = {}
    for page in _pages(episode_ids):
        query = select(EpisodeRow.id, EpisodeRow.epoch).where(_is_waiting(tx), col(EpisodeRow.id).in_(page))
        found |= dict(tx.session.exec(query.with_for_update()).all())
    return {each: found[each] for each in episode_ids if each in found}


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE))


def _is_waiting(tx: Tx) -> ColumnElement[bool]:
    return and_(
        col(EpisodeRow.workspace_id) == tx.workspace_id,
        col(EpisodeRow.state) == EpisodeState.OPEN,
        col(EpisodeRow.announced_at).is_(None),
        col(EpisodeRow.is_quiet).is_(other=False),
    )
