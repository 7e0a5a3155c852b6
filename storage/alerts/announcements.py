"""Which alerts still have to be announced, what was told lately, and that they were told. Owns the flag on the alert,
set together with its outbox row; refuses to decide (`rules.alerts.noise`), to choose channels and words.

What was decided is written only for alerts that stand as they stood then (`Standing`): one that somebody assigned or
gave away in between would be told to, or held for the hours of, who had it before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from rules.alerts.announcements import Announcement
from rules.alerts.hushing import hush
from rules.alerts.noise import Hold, Quieten, Silence, Told
from rules.delivery.channels import Place, Sharing
from rules.records import Actor, AlertKind, Enqueue, EpisodeState, Severity, Tier
from storage.accounts.accounts import AccountRow
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import MESSAGE, SUMMARY, EpisodeRow, responsible, to_episode
from storage.db import Tx
from storage.delivery.channels import ChannelRow, is_channel_of_account
from storage.delivery.outbox import enqueue
from storage.lookup import is_among
from storage.types import new_id

_PRIORITY = 5


class Standing(NamedTuple):
    """How an alert stands that is decided on: its version, and whose it is (None: nobody's)."""

    version: int
    owner_id: str | None


Seen = Mapping[str, Standing]
"""By alert how it stood when it was decided on."""


class Unannounced(NamedTuple):
    """An alert nobody was told of: the account's own channel, with who reads it, and whose it is."""

    episode_id: str
    account_id: str
    kind: AlertKind
    severity: Severity
    level: float
    batch: str
    account_channel: str
    account_sharing: Sharing | None
    tier: Tier | None
    version: int
    owner_id: str | None

    @property
    def standing(self) -> Standing:
        """What a decision about it rests on."""
        return Standing(self.version, self.owner_id)

    @property
    def own(self) -> Place:
        """The account's own channel."""
        return Place(self.account_channel, self.account_sharing or Sharing.UNKNOWN)


def list_unannounced(tx: Tx, now: datetime) -> list[Unannounced]:
    """Every open alert that waits to be announced and is not held beyond `now`, of all accounts, in one query."""
    row = EpisodeRow
    columns = (
        *map(col, (row.id, row.account_id, row.kind, row.severity, row.level, row.batch)),
        *map(col, (AccountRow.channel_id, ChannelRow.sharing, AccountRow.tier, row.version)),
        responsible(),
    )
    rows = tx.session.execute(
        select_columns(*columns)
        .select_from(EpisodeRow)
        .join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
        .join(ChannelRow, is_channel_of_account(tx), isouter=True)
        .where(col(AccountRow.workspace_id) == tx.workspace_id, _is_waiting(tx), _is_released(now))
        .order_by(col(EpisodeRow.id))
    )
    return [Unannounced(*row) for row in rows]


def list_told(tx: Tx, since: datetime) -> list[Told]:
    """What was told since a moment, in one query. The summary of a batch is told to nobody in particular."""
    row = EpisodeRow
    columns = map(
        col,
        (
            row.id,
            row.told_with,
            row.summary_id,
            row.batch,
            row.channel_id,
            row.account_id,
            row.told_id,
            row.announced_at,
        ),
    )
    rows = tx.session.execute(
        select_columns(*columns).where(col(row.workspace_id) == tx.workspace_id, col(row.announced_at) >= since)
    )
    return [
        Told(summary or lead or id_, channel, account_id, "" if batch and summary else told_id or "", at)
        for id_, lead, summary, batch, channel, account_id, told_id, at in rows
    ]


def apply_announcement(tx: Tx, announcement: Announcement, seen: Seen, now: datetime) -> int:
    """Announce those of the alerts that still wait as they were `seen`; returns how many. The flags and the outbox row
    commit together, so that a crash neither loses nor doubles them.
    """
    rows = _lock(tx, announcement.episode_ids, seen)
    if not rows:
        return 0
    lead = rows[0]
    summary_id = new_id() if announcement.is_summary else ""
    for row in rows:
        row.announced_at, row.channel_id, row.summary_id, row.held_until = now, announcement.channel, summary_id, None
        row.told_id, row.told_for = announcement.readers.get(row.id), announcement.stand_ins.get(row.id)
        row.told_with = "" if summary_id or row is lead else lead.id
        tx.session.add(row)
    tx.session.flush()
    key = f"{SUMMARY}:{summary_id}" if summary_id else f"{MESSAGE}:{lead.id}:{lead.epoch}"
    kind, reference = (SUMMARY, summary_id) if summary_id else (MESSAGE, lead.id)
    enqueue(tx, [Enqueue(kind, reference, announcement.channel, key, priority=_PRIORITY)], now)
    return len(rows)


def apply_hush(
    tx: Tx, decisions: Sequence[Hold | Quieten | Silence], seen: Seen, actor: Actor, now: datetime
) -> list[Hold | Quieten | Silence]:
    """Hold, quieten or mute those of the alerts that still wait as they were `seen`; returns what was carried out."""
    rows = {row.id: row for row in _lock(tx, [each.episode_id for each in decisions], seen)}
    done = [each for each in decisions if each.episode_id in rows]
    apply_alerts(tx, [hush(to_episode(rows[each.episode_id]), each) for each in done], actor, now)
    return done


def decide_holds_afresh(tx: Tx, account_ids: Collection[str]) -> None:
    """The accounts have another owner: what was held for the hours of the former one is decided when announcing. All
    that waits is locked, so that who is about to write what was decided for the former owner sees the new one.

    To be called before anything is enqueued: alerts are locked before their messages everywhere.
    """
    if not account_ids:
        return
    row = EpisodeRow
    is_the_owners = and_(col(row.owner_id).is_(None), col(row.taken_by).is_(None))
    query = select(row).where(is_the_owners, _is_waiting(tx), is_among(tx, col(row.account_id), account_ids))
    for each in _lock_in_order(tx, query):
        each.held_until = None


def list_of_summary(tx: Tx, summary_id: str) -> list[EpisodeRow]:
    """The alerts of a summary, the most urgent first as they were announced."""
    query = select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id, EpisodeRow.summary_id == summary_id)
    return _by_urgency(tx.session.exec(query).all())


def list_told_with(tx: Tx, episode_id: str) -> list[EpisodeRow]:
    """The alerts that were told in the message of another one, the most urgent first."""
    query = select(EpisodeRow).where(EpisodeRow.workspace_id == tx.workspace_id, EpisodeRow.told_with == episode_id)
    return _by_urgency(tx.session.exec(query).all())


def _by_urgency(rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
    return sorted(rows, key=lambda row: (-list(Severity).index(row.severity), -row.level, row.id))


def _lock(tx: Tx, episode_ids: Sequence[str], seen: Seen) -> list[EpisodeRow]:
    """Those that still wait as they were seen, in the order given. Whose they are is read once they are locked: who
    gives an account away locks them, too.
    """
    query = select(EpisodeRow).where(_is_waiting(tx), is_among(tx, col(EpisodeRow.id), episode_ids))
    found = {row.id: row for row in _lock_in_order(tx, query)}
    owners = _list_owners(tx, found)
    return [
        found[each]
        for each in episode_ids
        if each in found and Standing(found[each].version, owners[each]) == seen.get(each)
    ]


def _lock_in_order(tx: Tx, query: SelectOfScalar[EpisodeRow]) -> list[EpisodeRow]:
    """By their ids, as everywhere, so that no two wait for each other in a circle."""
    ordered = query.order_by(col(EpisodeRow.id)).with_for_update()
    return list(tx.session.exec(ordered.execution_options(populate_existing=True)))


def _list_owners(tx: Tx, episode_ids: Collection[str]) -> dict[str, str | None]:
    """Whose each of the alerts is now."""
    rows = tx.session.execute(
        select_columns(col(EpisodeRow.id), responsible())
        .join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
        .where(col(EpisodeRow.workspace_id) == tx.workspace_id, col(AccountRow.workspace_id) == tx.workspace_id)
        .where(is_among(tx, col(EpisodeRow.id), episode_ids))
    )
    return dict(rows.all())


def _is_waiting(tx: Tx) -> ColumnElement[bool]:
    return and_(
        col(EpisodeRow.workspace_id) == tx.workspace_id,
        col(EpisodeRow.quiet_reason) == "",
        col(EpisodeRow.announced_at).is_(None),
        col(EpisodeRow.closed_at).is_(None),
        col(EpisodeRow.is_quiet).is_(other=False),
        col(EpisodeRow.state) == EpisodeState.OPEN,
    )


def _is_released(now: datetime) -> ColumnElement[bool]:
    return or_(col(EpisodeRow.held_until).is_(None), col(EpisodeRow.held_until) <= now)
