"""Loading usage: facts that are inserted once and never changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import TypedDict

from pipeline.imports.loading import Checked, Context, contradiction, is_first, place
from pipeline.imports.records import UsageIn
from pipeline.imports.shape import Item
from rules.accounts.imports import Outcome
from rules.health.usage import GAUGE_DAYS
from storage.db import Tx
from storage.health.usage import find_events, insert_events
from storage.success.metrics import ensure_metric
from words.errors import excerpt
from words.names import slug


class Fact(TypedDict):
    """The columns of one usage event."""

    source: str
    message_id: str
    account_id: str
    team: str
    metric_key: str
    person: str
    day: date
    value: float


Ready = tuple[str, Fact]
"""The metric's name as written, and the fact."""


def check_usage(tx: Tx, items: Sequence[Item[UsageIn]], context: Context) -> Checked[Ready]:
    """A known message with other content is rejected, not overwritten; a known one with the same says nothing new."""
    checked: Checked[Ready] = Checked()
    facts = [(item, _fact(item.row, id_, context)) for item, id_ in place(tx, items, context, checked)]
    known = find_events(tx, context.mapping.source, [fact["message_id"] for _, fact in facts])
    for item, fact in facts:
        content = _content(fact)
        stored = known.get(fact["message_id"])
        if fact["day"] > context.today:
            checked.rejects.append(context.reject(item, "day", f"{fact['day']} is in the future"))
        elif (line := context.claims.contradicts(fact["message_id"], content)) is not None:
            checked.rejects.append(context.reject(item, _id_field(context), contradiction(line, "fact")))
        elif stored is not None and stored != content:
            checked.rejects.append(context.reject(item, _id_field(context), _conflict(item.row)))
        elif is_first(item, fact["message_id"], content, "fact", context, checked):
            if stored is None:
                checked.ready.append((item.row.metric, fact))
            else:
                checked.same += 1
    return checked


def _fact(row: UsageIn, account_id: str, context: Context) -> Fact:
    metric_key = _key(row.metric)
    return {
        "source": context.mapping.source,
        "message_id": row.message_id or _make_id(row.day, account_id, row.team, metric_key, row.person),
        "account_id": account_id,
        "team": row.team,
        "metric_key": metric_key,
        "person": row.person,
        "day": row.day,
        "value": row.value,
    }


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    return slug(name)


def _make_id(day: date, *about: str) -> str:
    """An id made of what a fact is about, so that the same row is known again. It begins with the day, so that each
    night's rows lie together in the index.
    """
    digest = hashlib.blake2b("\n".join(about).encode(), digest_size=12).hexdigest()
    return f"{day.isoformat()}-{digest}"


def _content(fact: Fact) -> tuple[object, ...]:
    return (fact["account_id"], fact["team"], fact["metric_key"], fact["person"], fact["day"], fact["value"])


def _id_field(context: Context) -> str:
    return "message_id" if "message_id" in context.given else "value"


def _conflict(row: UsageIn) -> str:
    about = (row.account, row.team, row.metric, row.person, row.day.isoformat())
    name = row.message_id or " · ".join(filter(None, about))
    return f"{excerpt(name)!r} was imported before, with other values"


def store_usage(tx: Tx, ready: Sequence[Ready], context: Context) -> Counter[Outcome]:
    """Insert a page of facts, and the metrics they bring."""
    for name in {name for name, _ in ready} - context.metrics:
        _ensure(tx, name, context)
    new = insert_events(tx, [fact for _, fact in ready])
    return Counter({Outcome.NEW: new, Outcome.SAME: len(ready) - new})


def _ensure(tx: Tx, name: str, context: Context) -> None:
    is_gauge = slug(name) in GAUGE_DAYS
    core = context.mapping.core_features
    is_core = not is_gauge and (core is None or name in core)
    ensure_metric(tx, name, role="active_users" if is_gauge else "feature", is_core=is_core)
    context.metrics.add(name)
