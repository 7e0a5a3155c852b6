"""Slack's channels as they were when last looked at: whether another organisation reads them. Owns their table, which
of them are to be looked at next, and reading where words may go; refuses to choose (`rules.delivery.channels`) and to
ask Slack. Every moment here is wall time.

A channel without a row was never looked at. Nothing has to be written when somebody sets or imports a channel: what is
in use and has no row is found by its absence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, update
from sqlmodel import Field, Index, SQLModel, col, func, select

from rules.delivery.channels import Place, Sharing, choose_team_channel
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.fields import choice, moment, workspace
from storage.lookup import is_among
from storage.people.workspaces import get_workspace
from storage.upsert import upsert

FRESH = timedelta(days=1)
REFUSED_FRESH = timedelta(hours=1)
"""What Slack would not tell of is asked again sooner: a missing scope is mended in minutes."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ChannelRow(SQLModel, table=True):
    """A channel that was looked at. `error` is Slack's code where it would not tell: then `sharing` is unknown."""

    __tablename__ = "channels"
    __table_args__ = (Index("ix_channels_looked_at", "workspace_id", "looked_at"),)

    workspace_id: str = workspace(is_key=True)
    slack_id: str = Field(primary_key=True)
    name: str = ""
    sharing: Sharing = choice(Sharing)
    error: str = ""
    looked_at: datetime = moment()


@dataclass(frozen=True)
class Look:
    """What Slack said of a channel; `error` is its code where it refused."""

    slack_id: str
    sharing: Sharing
    name: str = ""
    error: str = ""


@dataclass(frozen=True)
class SharingCounts:
    """How many channels of accounts in use another organisation reads, and of how many that is not known; `errors` are
    Slack's codes for those of which it would not tell.
    """

    shared: int = 0
    unknown: int = 0
    errors: tuple[str, ...] = ()


# ---------------------------------------------------------------- looking


def list_to_look_at(tx: Tx, now: datetime, limit: int, since: datetime | None = None) -> list[str]:
    """Channels to ask Slack about: those in use that nobody looked at, then those looked at longest ago: more than a
    day, or before `since` (which counts unless it lies ahead, as when the clock was put back).
    """
    is_counting = since is not None and since <= now
    unseen = _list_unseen(tx, limit)
    is_old = or_(
        col(ChannelRow.looked_at) < max(now - FRESH, since if since and is_counting else _LONG_AGO),
        and_(col(ChannelRow.error) != "", col(ChannelRow.looked_at) < now - REFUSED_FRESH),
        col(ChannelRow.looked_at) > now + FRESH,  # the clock was put back
    )
    old = select(ChannelRow.slack_id).where(ChannelRow.workspace_id == tx.workspace_id, is_old)
    oldest = old.order_by(col(ChannelRow.looked_at)).limit(limit - len(unseen))
    return [*unseen, *(tx.session.exec(oldest) if len(unseen) < limit else ())]


def save_looks(tx: Tx, looks: Iterable[Look], now: datetime) -> None:
    """Write down what Slack said."""
    rows = [{**asdict(each), "looked_at": now} for each in looks]
    upsert(tx, ChannelRow, rows, keys=("workspace_id", "slack_id"), update=("name", "sharing", "error", "looked_at"))


def mark_changed(tx: Tx, slack_id: str, *, is_shared: bool) -> None:
    """Slack says that a channel was shared, or is no longer: it is to be looked at again, and until then taken for
    shared if it was said to be. A channel that was never looked at stays so.
    """
    found: dict[str, object] = {"looked_at": _LONG_AGO}
    if is_shared:
        found |= {"sharing": Sharing.SHARED, "error": ""}
    tx.session.execute(
        update(ChannelRow)
        .where(col(ChannelRow.workspace_id) == tx.workspace_id, col(ChannelRow.slack_id) == slack_id)
        .values(found)
    )


def _list_unseen(tx: Tx, limit: int) -> list[str]:
    team = get_workspace(tx).team_channel_id
    found = [team] if team and not list_rows(tx, [team]) else []
    unseen = (
        select(AccountRow.channel_id)
        .where(is_in_use(tx), _has_channel(), AccountRow.channel_id != team, ~_is_seen(tx))
        .distinct()
    )
    return [*found, *tx.session.exec(unseen.order_by(AccountRow.channel_id).limit(limit - len(found)))]


def _has_channel() -> ColumnElement[bool]:
    """Not `!= ""`: that would go through all accounts, this through a piece of the index."""
    return col(AccountRow.channel_id) > ""


def _is_seen(tx: Tx) -> ColumnElement[bool]:
    """Whether the channel of the account at hand was looked at."""
    return exists().where(is_channel_of_account(tx))


# ---------------------------------------------------------------- reading


def list_rows(tx: Tx, slack_ids: Iterable[str]) -> dict[str, ChannelRow]:
    """Those of the channels that were looked at."""
    wanted = {each for each in slack_ids if each}
    if not wanted:
        return {}
    query = select(ChannelRow).where(
        ChannelRow.workspace_id == tx.workspace_id, is_among(tx, col(ChannelRow.slack_id), wanted)
    )
    found = tx.session.exec(query.execution_options(populate_existing=True))  # looks are written past the session
    return {row.slack_id: row for row in found}


def list_own_places(tx: Tx, accounts: Sequence[AccountRow]) -> Mapping[str, Place]:
    """Of each account its own channel, by its id; one query."""
    known = list_rows(tx, [row.channel_id for row in accounts])
    return {row.id: to_place(row.channel_id, known.get(row.channel_id)) for row in accounts}


def to_place(channel: str, row: ChannelRow | None) -> Place:
    """A channel and what is known of it."""
    return Place(channel, row.sharing if row else Sharing.UNKNOWN)


def read_team_place(tx: Tx) -> Place:
    """The team's channel and what is known of it."""
    team = get_workspace(tx).team_channel_id
    return to_place(team, list_rows(tx, [team]).get(team))


def find_team_channel(tx: Tx) -> str:
    """The team's channel if words about customers may go there, else ""."""
    return choose_team_channel(read_team_place(tx))


def list_shared(tx: Tx, slack_ids: Iterable[str]) -> frozenset[str]:
    """Those of the channels that another organisation is known to read; one query."""
    return frozenset(id_ for id_, row in list_rows(tx, slack_ids).items() if row.sharing is Sharing.SHARED)


def count_sharing(tx: Tx) -> SharingCounts:
    """How the channels of accounts in use stand, each channel once; one query."""
    query = (
        select(ChannelRow.sharing, ChannelRow.error, func.count(func.distinct(AccountRow.channel_id)))
        .select_from(AccountRow)
        .join(ChannelRow, is_channel_of_account(tx), isouter=True)
        .where(is_in_use(tx), _has_channel())
        .group_by(col(ChannelRow.sharing), col(ChannelRow.error))
    )
    found = [(sharing or Sharing.UNKNOWN, error or "", count) for sharing, error, count in tx.session.execute(query)]
    return SharingCounts(
        sum(count for sharing, _error, count in found if sharing is Sharing.SHARED),
        sum(count for sharing, _error, count in found if sharing is Sharing.UNKNOWN),
        tuple(sorted({error for _sharing, error, _count in found if error})),
    )


def is_channel_of_account(tx: Tx) -> ColumnElement[bool]:
    """Whether the row is of the account's own channel, as a condition of a join."""
    return and_(col(ChannelRow.workspace_id) == tx.workspace_id, col(ChannelRow.slack_id) == col(AccountRow.channel_id))
