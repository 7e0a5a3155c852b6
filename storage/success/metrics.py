"""The metrics of a workspace: outcome numbers and product features, over the catalogue that comes with Milepost.

A row exists where somebody used, hid or added a metric; what the catalogue says holds where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Field, SQLModel, col, select

from rules.records import Actor, Change
from rules.success.metrics import AddMetric, MetricIntent, check_name
from storage.audit import record
from storage.catalogue import Metric, name_metric, read_catalogue
from storage.db import Tx
from storage.fields import workspace
from storage.upsert import upsert
from words.language import DEFAULT_LANGUAGE, get_language
from words.names import Named, fold, slug


class MetricRow(SQLModel, table=True):
    """One metric. `role` is "outcome" (a target's number), "feature" (counted use) or "active_users" (a gauge).

    `unit` is "" | "%" | an ISO currency | a short word. `is_core` features count for breadth.
    `is_hidden`: not offered any more.
    """

    __tablename__ = "metrics"

    workspace_id: str = workspace(is_key=True)
    key: str = Field(primary_key=True)
    name: str
    unit: str = ""
    role: str = "outcome"
    is_core: bool = False
    is_hidden: bool = False


@dataclass(frozen=True)
class Offered:
    """A metric that may be chosen: the workspace's row, the catalogue's entry, or both. `unit` may be "money"."""

    key: str
    row: MetricRow | None
    entry: Metric | None

    @property
    def unit(self) -> str:
        """The workspace's where it has used the metric."""
        return self.row.unit if self.row else self.entry.unit if self.entry else ""

    @property
    def is_hidden(self) -> bool:
        """Whether the workspace does not want to see it."""
        return self.row is not None and self.row.is_hidden

    def show(self, locale: str) -> str:
        """The name for a reader."""
        return show_metric(self.key, self.row.name if self.row else None, locale)

    def list_names(self) -> tuple[str, ...]:
        """Every name it goes by, the workspace's first."""
        own = (self.row.name,) if self.row else ()
        return tuple(dict.fromkeys((*own, *(self.entry.list_names() if self.entry else ()))))


# Put together once, because all that shows a number asks it.
_NAMES = select(MetricRow.key, MetricRow.name).where(
    MetricRow.workspace_id == bindparam("workspace_id"), col(MetricRow.key).in_(bindparam("keys", expanding=True))
)


def find_metric(tx: Tx, key: str) -> MetricRow | None:
    """The workspace's row of the metric."""
    return tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, MetricRow.key == key)
    ).first()


def list_metrics(tx: Tx, role: str | None = "outcome") -> list[MetricRow]:
    """The workspace's rows of a role by name; all with None."""
    query = select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id)
    if role is not None:
        query = query.where(MetricRow.role == role)
    return list(tx.session.exec(query.order_by(col(MetricRow.name), col(MetricRow.key))))


def list_offered(tx: Tx) -> list[Offered]:
    """Every outcome metric, hidden ones too: the workspace's own by name, then the catalogue's in its order."""
    rows = {row.key: row for row in list_metrics(tx, None)}
    entries = read_catalogue().by_key
    own = [Offered(key, row, None) for key, row in rows.items() if key not in entries and row.role == "outcome"]
    known = [
        Offered(key, rows.get(key), entry)
        for key, entry in entries.items()
        if key not in rows or rows[key].role == "outcome"
    ]
    return own + known


def name_metrics(tx: Tx, keys: Iterable[str], locale: str = "") -> dict[str, str]:
    """Shown names by key: the workspace's, where that is the catalogue's in the language of `locale`; a key nobody
    knows stands for itself.
    """
    wanted = sorted(set(keys))
    own = dict(tx.session.exec(_NAMES, params={"workspace_id": tx.workspace_id, "keys": wanted}).all())
    return {key: show_metric(key, own.get(key), locale) for key in wanted}


def show_metric(key: str, own: str | None, locale: str) -> str:
    """The name of a metric that the workspace calls `own`, for a reader: the catalogue's in their language, but a name
    the workspace gave itself is kept in every language.
    """
    is_catalogues = own is not None and fold(own) == fold(name_metric(key) or "")
    if own is not None and not (is_catalogues and get_language(locale) != DEFAULT_LANGUAGE):
        return own
    return name_metric(key, locale) or own or key


def list_named_metrics(tx: Tx, *, is_used: bool = False) -> list[Named]:
    """The metrics that are not hidden as names to choose from, in every language: the id of each is its key.

    `is_used`: only those the workspace has used. A name it gave one of its own is no other name of the catalogue's.
    """
    offered = [each for each in list_offered(tx) if not each.is_hidden and (each.row or not is_used)]
    taken = {fold(each.row.name): each.key for each in offered if each.row}
    return [
        Named(each.key, tuple(name for name in each.list_names() if taken.get(fold(name), each.key) == each.key))
        for each in offered
    ]


def ensure_metric(tx: Tx, name: str, unit: str = "", role: str = "outcome", *, is_core: bool = False) -> MetricRow:
    """The metric of this name, made where there is none; an existing one keeps its unit and role.

    Raises `UserError` for a name without letters, or longer than 80 characters.
    """
    shown = check_name(name)
    key = slug(shown)
    row = {"key": key, "name": shown, "unit": unit, "role": role, "is_core": is_core}
    upsert(tx, MetricRow, [row], keys=["workspace_id", "key"])
    return tx.session.exec(
        select(MetricRow).where(MetricRow.workspace_id == tx.workspace_id, MetricRow.key == key)
    ).one()


def ensure_known(tx: Tx, key: str, unit: str) -> None:
    """A row for a metric of the catalogue that is used for the first time."""
    entry = read_catalogue().find(key)
    if entry is not None:
        ensure_metric(tx, entry.name.en, unit)


def apply_metrics(tx: Tx, intents: Sequence[MetricIntent], actor: Actor, now: datetime) -> list[MetricRow]:
    """Carry the intents out, with audit. Returns the rows."""
    return [_apply(tx, intent, actor, now) for intent in intents]


def _apply(tx: Tx, intent: MetricIntent, actor: Actor, now: datetime) -> MetricRow:
    row = ensure_metric(tx, intent.name, intent.unit)
    before: dict[str, object] = {"is_hidden": row.is_hidden}
    if isinstance(intent, AddMetric):
        verb, row.is_hidden = "metric.added", False
    else:
        verb, row.is_hidden = "metric.hidden" if intent.is_hidden else "metric.shown", intent.is_hidden
    tx.session.flush()
    after: dict[str, object] = {"name": row.name, "unit": row.unit, "is_hidden": row.is_hidden}
    record(tx, Change(verb, "metric", row.key, before=before, after=after), actor, now)
    return row
